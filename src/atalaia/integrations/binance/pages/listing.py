"""All active operations, the worst first."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.binance.desk import Desk
from atalaia.integrations.binance.model.history import margin_asset
from atalaia.integrations.binance.model.money import total
from atalaia.integrations.binance.model.verdicts import Verdict
from atalaia.integrations.binance.operations import Shown
from atalaia.integrations.binance.pages.figures import signed
from atalaia.integrations.binance.pages.looking import looked
from atalaia.integrations.binance.pages.rows import Row, row_of
from atalaia.integrations.binance.pages.words import VERDICTS
from atalaia.sdk.integration import Page, Request, View

_NAMES: Final = ("q", "state", "account")
_ROWS: Final = 100


class Listing:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def pages(self) -> tuple[Page, ...]:
        return (
            Page("/binance", Permission.TRADING_READ, self.show),
            Page("/binance/rows", Permission.TRADING_READ, self.part),
        )

    async def show(self, request: Request) -> View:
        return View("binance/operations.html", N_("Auto-close"), await self._values(request))

    async def part(self, request: Request) -> View:
        return View("binance/_rows.html", "", await self._values(request), is_part=True)

    async def _values(self, request: Request) -> dict[str, Any]:
        every = await self._desk.operations.all()
        filters = {name: request.query[name] for name in _NAMES if request.query.get(name)}
        rows = sorted((row_of(each, request.locale) for each in every), key=_place)
        cursor = request.query.get("cursor", "")
        found, following = _page([row for row in rows if _fits(row, filters)], cursor)
        return {
            "found": found,
            "next": following,
            "params": {**filters, "cursor": cursor} if cursor else filters,
            "is_filtered": bool(filters),
            "counts": _counts(rows),
            "words": VERDICTS,
            "state_options": [(str(each), VERDICTS[each][1]) for each in Verdict],
            "account_options": [(name, name) for name in sorted({row.account for row in rows})],
            "sums": _sums(every, request),
            "has_accounts": bool(every) or bool(await self._desk.accounts.all()),
            "looked": await looked(self._desk.host),
            "rows": len(found),
        }


Place = tuple[int, Decimal, str]


def _place(row: Row) -> Place:
    return (*row.rank, row.id)


def _page(rows: list[Row], cursor: str) -> tuple[list[Row], str | None]:
    """By where the last one of the page before stood: results change between two looks, and a number would pass some over."""
    after = _read(cursor)
    past = rows if after is None else [row for row in rows if _place(row) > after]
    page = past[:_ROWS]
    return page, "_".join(map(str, _place(page[-1]))) if len(past) > len(page) else None


def _read(cursor: str) -> Place | None:
    """None, and so the first page, for what is no place."""
    verdict, _, rest = cursor.partition("_")
    ratio, _, id_ = rest.partition("_")
    try:
        place = int(verdict), Decimal(ratio), id_
    except (ValueError, InvalidOperation):
        return None
    return place if place[1].is_finite() else None


def _fits(row: Row, params: Mapping[str, str]) -> bool:
    text = params.get("q", "").strip().casefold()
    return (
        text in f"{row.name} {row.symbol} {row.account}".casefold()
        and params.get("state", row.verdict) == row.verdict
        and params.get("account", row.account) == row.account
    )


def _counts(rows: list[Row]) -> list[tuple[str, str, str, int]]:
    """Verdict, badge, word and how many; none of zero."""
    counts = {str(each): sum(row.verdict == each for row in rows) for each in Verdict}
    return [(verdict, *VERDICTS[verdict], count) for verdict, count in counts.items() if count]


def _sums(every: list[Shown], request: Request) -> list[tuple[Any, str]]:
    """The results of those that are watched, for each margin asset."""
    found: dict[str, list[Any]] = {}
    for each in every:
        value, operation = each.watched.standing.current_pnl, each.watched.operation
        if value is not None and operation.auto_close_enabled:
            found.setdefault(margin_asset(operation.symbol), []).append(value)
    return [(signed(total(values), request.locale), asset) for asset, values in sorted(found.items())]
