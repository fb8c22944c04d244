"""The history as CSV (RFC 4180): one row for each operation, money with all its digits and a decimal point."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from atalaia.core.formats import iso
from atalaia.integrations.binance.exchange.port import Side
from atalaia.integrations.binance.model.history import LegClosed, Trade
from atalaia.integrations.binance.model.money import plain

COLUMNS: Final = (
    "id",
    "name",
    "account",
    "symbol",
    "reason",
    "opened_at",
    "closed_at",
    "profit_target",
    "realised",
    "fees",
    "funding",
    "net",
    "basis",
    "other_fees",
    *(f"{side}_{part}" for side in ("long", "short") for part in ("quantity", "entry", "exit", "realised", "fees")),
)
# A spreadsheet takes a text that begins with one of these for a formula: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_BOM: Final = "\ufeff"  # without it spreadsheets read the bytes as an older encoding


def written(trades: Iterable[Trade]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(_row(trade) for trade in trades)
    return (_BOM + out.getvalue()).encode()


def _row(trade: Trade) -> list[str]:
    legs = {leg.side: leg for leg in trade.legs}
    sums = (trade.gross, trade.fees, trade.funding, trade.net, trade.basis)
    return [
        trade.id,
        _harmless(trade.name),
        _harmless(trade.account),
        _harmless(trade.symbol),
        str(trade.reason),
        iso(trade.opened_at),
        iso(trade.closed_at),
        plain(trade.wishes.profit_target),
        *(plain(each) for each in sums),
        " ".join(f"{amount} {asset}" for asset, amount in trade.other_fees.items()),
        *_leg(legs.get(Side.LONG)),
        *_leg(legs.get(Side.SHORT)),
    ]


def _leg(leg: LegClosed | None) -> list[str]:
    if leg is None:
        return [""] * 5
    values = (leg.quantity, leg.entry, leg.exit, leg.realised, leg.fees)
    return ["" if value is None else plain(value) for value in values]


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
