"""What closed operations brought: a list, its totals, filters in the address, and the file."""

from datetime import date, datetime, time, tzinfo
from typing import Any, Final
from urllib.parse import urlencode

from atalaia.core.errors import InvalidField
from atalaia.core.formats import zone as zone_named
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_, Locale
from atalaia.integrations.binance.desk import Desk
from atalaia.integrations.binance.filters import read_filter, text_of
from atalaia.integrations.binance.model.history import Trade, margin_asset
from atalaia.integrations.binance.model.verdicts import ratio_of
from atalaia.integrations.binance.pages.figures import amount, percent, signed
from atalaia.integrations.binance.pages.words import REASONS, Said, said
from atalaia.integrations.binance.trades import By, Total, TradeFilter
from atalaia.sdk.integration import Page, Request, View

_ROWS: Final = 50
_FILTERS: Final = ("since", "until", "symbol", "account")
_GROUPS: Final[dict[By, str]] = {"day": N_("By day"), "symbol": N_("By symbol"), "account": N_("By account")}


class HistoryPages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def pages(self) -> tuple[Page, ...]:
        read = Permission.TRADING_READ
        return (Page("/binance/history", read, self.show), Page("/binance/history/rows", read, self.part))

    async def show(self, request: Request) -> View:
        accounts, symbols = await self._desk.trades.choices()
        options = {"account_options": [(each, each) for each in accounts], "symbol_options": [(s, s) for s in symbols]}
        return View("binance/history.html", N_("History"), {**options, **await self._values(request)})

    async def part(self, request: Request) -> View:
        return View("binance/_history_rows.html", "", await self._values(request), is_part=True)

    async def _values(self, request: Request) -> dict[str, Any]:
        params = {name: request.query[name] for name in (*_FILTERS, "by", "cursor") if request.query.get(name)}
        zone, locale = zone_named(request.timezone), request.locale
        by: By = next((each for each in _GROUPS if params.get("by") == each), "day")
        wanted, problem = _wanted(request)
        after = None if problem else text_of(request.query, "cursor") or None
        found = await self._desk.trades.page(wanted, limit=_ROWS, after=after)
        total = await self._desk.trades.total(wanted)
        return {
            "found": [_trade(each, locale) for each in found[:_ROWS]],
            "next": found[_ROWS - 1].id if len(found) > _ROWS else None,
            "total": _total(total, locale, zone),
            "groups": [_total(each, locale, zone) for each in await self._desk.trades.totals(wanted, by, zone=zone)],
            "by": by,
            "views": list(_GROUPS.items()),
            "params": params,
            "is_filtered": any(params.get(name) for name in _FILTERS),
            "problem": problem,
            "csv": f"/api/binance/history.csv?{urlencode({**_kept(params), 'tz': request.timezone})}",
            "rows": len(found),
        }


def _wanted(request: Request) -> tuple[TradeFilter, Said | None]:
    """What a wrong address asks for is everything, and said."""
    try:
        text_of(request.query, "cursor")
        return read_filter(request.query, zone=zone_named(request.timezone)), None
    except InvalidField as error:
        return TradeFilter(), said(error)


def _kept(params: dict[str, str]) -> dict[str, str]:
    return {name: params[name] for name in _FILTERS if name in params}


def _trade(trade: Trade, locale: Locale) -> dict[str, Any]:
    return {
        "id": trade.id,
        "href": f"/binance/operations/{trade.id}",
        "name": trade.name,
        "symbol": trade.symbol,
        "account": trade.account,
        "asset": margin_asset(trade.symbol),
        "reason": REASONS[trade.reason],
        "is_gross": trade.wishes.is_gross,
        "net": signed(trade.net, locale),
        "percent": percent(ratio_of(trade.net, trade.basis), locale),
        "gross": signed(trade.gross, locale),
        "fees": amount(trade.fees, locale),
        "funding": signed(trade.funding, locale),
        "opened_at": trade.opened_at,
        "closed_at": trade.closed_at,
    }


def _total(total: Total, locale: Locale, zone: tzinfo) -> dict[str, Any]:
    return {
        "day": datetime.combine(total.key, time.min, zone) if isinstance(total.key, date) else None,
        "key": str(total.key),
        "count": total.count,
        "won": total.won,
        "ratio": total.won / total.count if total.count else None,
        "net": signed(total.net, locale),
        "gross": signed(total.gross, locale),
        "fees": amount(total.fees, locale),
        "funding": signed(total.funding, locale),
    }
