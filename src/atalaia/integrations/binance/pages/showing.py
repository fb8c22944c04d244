"""One operation: how it stands, what it is made of, and what happened to it; also when it is closed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from atalaia.core.clock import to_ms
from atalaia.core.errors import BadInput, Conflict
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_, Locale
from atalaia.integrations.binance.desk import Desk, by_of
from atalaia.integrations.binance.filters import text_of
from atalaia.integrations.binance.model.history import Trade, margin_asset
from atalaia.integrations.binance.model.legs import Intent
from atalaia.integrations.binance.model.states import DRIVEN
from atalaia.integrations.binance.model.verdicts import ratio_of
from atalaia.integrations.binance.operations import Shown
from atalaia.integrations.binance.pages.brought import of_active, of_closed, of_driven
from atalaia.integrations.binance.pages.events import happening_of
from atalaia.integrations.binance.pages.figures import amount, exact, percent, signed
from atalaia.integrations.binance.pages.looking import looked
from atalaia.integrations.binance.pages.rows import row_of
from atalaia.integrations.binance.pages.words import ORDERS, REASONS, Said, said
from atalaia.sdk.integration import Page, Request, View

_EVENTS: Final = 30
_HOURS: Final = (1, 6, 24, 168, 720)  # as the page lets one choose
_AROUND: Final = 0.05  # of its time, before and after, on the chart of one that is over
_TONES: Final = {"profit": "up", "loss": "down"}


class Showing:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def pages(self) -> tuple[Page, ...]:
        path, read = "/binance/operations/{id}", Permission.TRADING_READ
        return (
            Page(path, read, self.show, self.act, submit_permission=Permission.TRADING_WRITE),
            Page(f"{path}/now", read, self.part),
        )

    async def show(self, request: Request) -> View:
        return await self._view(request)

    async def part(self, request: Request) -> View:
        return View("binance/_operation_now.html", "", await self._values(request), is_part=True)

    async def act(self, request: Request, form: Mapping[str, str]) -> View | str:
        """A button was pressed. Raises: BadInput: none of this page."""
        id_, by, operations = text_of(request.path_params, "id"), by_of(request), self._desk.operations
        acts = {
            "start": operations.start,
            "stop": operations.stop,
            "close": operations.close_now,
            "give_up": operations.remove,
        }
        act = acts.get(form.get("act", ""))
        if act is None:
            raise BadInput(N_("There is no such button."))
        try:
            await act(id_, by=by)
        except Conflict as error:
            return await self._view(request, problem=said(error))
        return "/binance" if form["act"] == "give_up" else f"/binance/operations/{id_}"

    async def _view(self, request: Request, *, problem: Said | None = None) -> View:
        values = await self._values(request)
        return View("binance/operation.html", values["name"], {**values, "problem": problem})

    async def _values(self, request: Request) -> dict[str, Any]:
        id_, cursor = text_of(request.path_params, "id"), text_of(request.query, "cursor")
        operations, locale = self._desk.operations, request.locale
        found = await operations.one(id_)
        events = await operations.events(id_, limit=_EVENTS, after=cursor or None)
        orders = await operations.orders(id_)
        own = await self._of_active(found, orders, locale) if isinstance(found, Shown) else _of_closed(found, locale)
        return {
            **own,
            "id": id_,
            "href": f"/binance/operations/{id_}",
            "orders": [_order(each, locale) for each in orders],
            "events": [happening_of(each, locale) for each in events[:_EVENTS]],
            "next": events[_EVENTS - 1].id if len(events) > _EVENTS else None,
            "params": {"cursor": cursor} if cursor else {},
        }

    async def _of_active(self, shown: Shown, orders: Sequence[Intent], locale: Locale) -> dict[str, Any]:
        row, operation = row_of(shown, locale), shown.watched.operation
        is_driven = operation.state in DRIVEN
        return {
            "row": row,
            "trade": None,
            "name": row.name,
            "symbol": row.symbol,
            "account": row.account,
            "tone": _TONES.get(row.badge, row.badge),
            "brought": of_driven(operation, orders, locale) if is_driven else of_active(shown.watched, locale),
            "hours": _hours(self._desk.host.clock.now() - operation.opened_at),
            "reach": None,
            "is_driven": is_driven,
            "is_changeable": not is_driven,
            "wanted": REASONS[operation.wanted] if operation.wanted else "",
            "reason": REASONS[operation.reason] if operation.reason else "",
            "retry_at": operation.retry_at,
            "has_stop": bool(row.stop_loss),
            "looked": await looked(self._desk.host),
        }


def _of_closed(trade: Trade, locale: Locale) -> dict[str, Any]:
    value = trade.gross if trade.wishes.is_gross else trade.net
    figure = signed(trade.net, locale)
    return {
        "row": None,
        "trade": trade,
        "name": trade.name,
        "symbol": trade.symbol,
        "account": trade.account,
        "tone": figure.sign if figure.sign != "flat" else "paused",
        "result": figure,
        "percent": percent(ratio_of(trade.net, trade.basis), locale),
        "asset": margin_asset(trade.symbol),
        "target": amount(trade.wishes.profit_target, locale),
        "is_short_of_target": value < trade.wishes.profit_target,
        "hours": _HOURS[0],
        "reach": _reach(trade),
        "brought": of_closed(trade, locale),
        "is_driven": False,
        "reason": REASONS[trade.reason],
        "fills": [
            {
                "at": fill.at,
                "side": str(fill.side),
                "quantity": exact(fill.quantity, locale),
                "price": exact(fill.price, locale),
                "fee": f"{exact(fill.commission, locale)} {fill.commission_asset}",
                "realised": signed(fill.realised, locale),
            }
            for fill in trade.fills
        ],
        "has_stop": trade.wishes.stop_loss is not None,
    }


def _hours(age: timedelta) -> int:
    """The least that shows all of it."""
    return next((each for each in _HOURS if timedelta(hours=each) >= age), _HOURS[-1])


def _reach(trade: Trade) -> tuple[int, int]:
    """In ms: all of its time, and a little around it."""
    first, last = to_ms(trade.opened_at), to_ms(trade.closed_at)
    around = max(10_000, round((last - first) * _AROUND))
    return first - around, last + around


def _order(intent: Intent, locale: Locale) -> dict[str, Any]:
    badge, word = ORDERS[intent.state]
    return {
        "side": str(intent.side),
        "badge": badge,
        "word": word,
        "quantity": exact(intent.quantity, locale),
        "executed": exact(intent.executed, locale),
        "price": exact(intent.average_price, locale),
        "client_order_id": intent.client_order_id,
        "failure": intent.failure,
    }
