"""The history of operations, with totals."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, tzinfo
from decimal import Decimal
from typing import Any, Literal

from atalaia.core.errors import NotFound
from atalaia.core.translations import N_
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.money import total
from atalaia.integrations.binance.queries import history
from atalaia.integrations.binance.queries.history import TradeFilter, TradeMoney
from atalaia.sdk.integration import Host

__all__ = ["By", "Total", "TradeFilter", "Trades"]
By = Literal["day", "symbol", "account"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """`key` is a day, a symbol or an account's name; "" of all."""

    key: date | str
    count: int
    won: int  # of them with more than nothing
    gross: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal


class Trades:
    def __init__(self, host: Host) -> None:
        self._host = host

    async def page(self, wanted: TradeFilter, *, limit: int = 50, after: str | None = None) -> list[Trade]:
        """Newest first, from past the id `after`; one more than `limit` where there is a next page."""
        return await self._host.read(lambda tx: history.trades(tx, wanted, limit=limit, after=after))

    async def all(self, wanted: TradeFilter) -> list[Trade]:
        """Newest first, for the export."""
        return await self._host.read(lambda tx: history.trades(tx, wanted))

    async def one(self, id: str) -> Trade:
        """Raises: NotFound."""
        found = await self._host.read(lambda tx: history.trade(tx, id))
        if found is None:
            raise NotFound(N_("There is no such operation in the history."))
        return found

    async def total(self, wanted: TradeFilter) -> Total:
        return _total("", await self._host.read(lambda tx: history.money(tx, wanted)))

    async def totals(self, wanted: TradeFilter, by: By, *, zone: tzinfo) -> list[Total]:
        """Days newest first, of `zone`; symbols and accounts by name."""
        rows = await self._host.read(lambda tx: history.money(tx, wanted))
        keys: dict[By, Callable[[TradeMoney], Any]] = {
            "day": lambda row: row.closed_at.astimezone(zone).date(),
            "symbol": lambda row: row.symbol,
            "account": lambda row: row.account,
        }
        groups: dict[Any, list[TradeMoney]] = {}
        for row in rows:
            groups.setdefault(keys[by](row), []).append(row)
        return [_total(key, groups[key]) for key in sorted(groups, reverse=by == "day")]

    async def choices(self) -> tuple[list[str], list[str]]:
        """Accounts and symbols that are in the history, for the filter."""
        return await self._host.read(history.choices)


def _total(key: date | str, rows: Iterable[TradeMoney]) -> Total:
    rows = list(rows)
    return Total(
        key=key,
        count=len(rows),
        won=sum(row.net > 0 for row in rows),
        gross=total(row.gross for row in rows),
        fees=total(row.fees for row in rows),
        funding=total(row.funding for row in rows),
        net=total(row.net for row in rows),
    )
