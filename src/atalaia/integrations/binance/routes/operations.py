"""Operations: entered, changed, closed now, given up."""

from collections.abc import Sequence
from typing import Any, Final

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.binance.charts import line_of
from atalaia.integrations.binance.desk import Desk, by_of
from atalaia.integrations.binance.filters import read_limit, text_of
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.operations import ActiveFilter, NewOperation, OperationChange, Shown
from atalaia.integrations.binance.routes import documents as docs
from atalaia.integrations.binance.routes.shapes import event_out, operation_out, order_out, trade_out
from atalaia.sdk.integration import Reply, Request, Route

PATH: Final = "/api/binance/operations"
ONE: Final = f"{PATH}/{{id}}"


class OperationRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def list(self, request: Request) -> Reply:
        state = text_of(request.query, "state")
        if state and state not in set(State):
            raise InvalidField("state", N_("must be one of {names}"), names=", ".join(State))
        wanted = ActiveFilter(
            account=text_of(request.query, "account") or None,
            symbol=text_of(request.query, "symbol").upper() or None,
            state=State(state) if state else None,
        )
        limit, after = read_limit(request.query), text_of(request.query, "cursor") or None
        found = await self._desk.operations.page(wanted, limit=limit, after=after)
        following = found[limit - 1].watched.operation.id if len(found) > limit else None
        return Reply({"items": [operation_out(each) for each in found[:limit]], "next": following})

    async def add(self, request: Request) -> Reply:
        shown = await self._desk.operations.add(request.json(NewOperation), by=by_of(request))
        return Reply(operation_out(shown), status=201)

    async def show(self, request: Request) -> Reply:
        """Active, or closed."""
        id_ = _id(request)
        found = await self._desk.operations.one(id_)
        out = operation_out(found) if isinstance(found, Shown) else trade_out(found)
        orders = [order_out(each) for each in await self._desk.operations.orders(id_)]
        return Reply({**out, "orders": orders})

    async def change(self, request: Request) -> Reply:
        change = request.json(OperationChange)
        return Reply(operation_out(await self._desk.operations.change(_id(request), change, by=by_of(request))))

    async def close(self, request: Request) -> Reply:
        shown = await self._desk.operations.close_now(_id(request), by=by_of(request))
        return Reply(operation_out(shown), status=202)

    async def give_up(self, request: Request) -> Reply:
        await self._desk.operations.remove(_id(request), by=by_of(request))
        return Reply(status=204)

    async def events(self, request: Request) -> Reply:
        limit, id_ = read_limit(request.query), _id(request)
        await self._desk.operations.one(id_)
        after = text_of(request.query, "cursor") or None
        found = await self._desk.operations.events(id_, limit=limit, after=after)
        following = found[limit - 1].id if len(found) > limit else None
        return Reply({"items": [event_out(each) for each in found[:limit]], "next": following})

    async def points(self, request: Request) -> Reply:
        """A line of the chart."""
        return Reply({"items": [await line_of(self._desk.operations, _id(request), request.query)]})


def _id(request: Request) -> str:
    return text_of(request.path_params, "id")


def operation_routes(desk: Desk) -> Sequence[Route]:
    routes = OperationRoutes(desk)
    read, write = Permission.TRADING_READ, Permission.TRADING_WRITE
    return (
        Route("GET", PATH, read, routes.list, _LIST),
        Route("POST", PATH, write, routes.add, _ADD),
        Route("GET", ONE, read, routes.show, _SHOW),
        Route("PATCH", ONE, write, routes.change, _CHANGE),
        Route("DELETE", ONE, write, routes.give_up, _GIVE_UP),
        Route("POST", f"{ONE}/close", write, routes.close, _CLOSE),
        Route("GET", f"{ONE}/events", read, routes.events, _EVENTS),
        Route("GET", f"{ONE}/points", read, routes.points, _POINTS),
    )


_LIST: Final = docs.described(
    "The active operations, oldest first",
    answer=docs.listing(docs.OPERATION),
    fails=(422,),
    query={
        "account": "Id or name",
        "symbol": "As BTCUSDT",
        "state": "active, closing or partially_closed",
        **docs.PAGE_QUERY,
    },
)
_ADD: Final = docs.described(
    "Enter an operation: both legs of a symbol are watched from now on; one for each account and symbol (409)",
    answer=docs.OPERATION,
    status=201,
    body=docs.NEW_OPERATION,
    fails=(409,),
)
_ANY: Final[dict[str, Any]] = {"oneOf": [docs.OPERATION, docs.TRADE]}
_SHOW: Final = docs.described("One operation with its orders; also one that is closed", answer=_ANY, fails=(404, 422))
_CHANGE: Final = docs.described(
    "Change what is given; null takes a stop-loss or trailing away",
    answer=docs.OPERATION,
    body=docs.CHANGE,
    fails=(404, 409),
)
_CLOSE: Final = docs.described(
    "Close both legs now, whatever it stands at; followed by its state",
    answer=docs.OPERATION,
    status=202,
    fails=(404, 409, 422),
)
_GIVE_UP: Final = docs.described(
    "Give it up: its positions stay as they are, and nobody watches them", status=204, fails=(404, 409, 422)
)
_EVENTS: Final = docs.described(
    "What happened to it, newest first",
    answer=docs.listing(docs.fields(id=docs.TEXT, at=docs.INSTANT, kind=docs.TEXT, data={"type": "object"})),
    fails=(404, 422),
    query=docs.PAGE_QUERY,
)
_POINTS: Final = docs.described(
    "Its result over time",
    answer=docs.fields(items={"type": "array", "items": {"type": "object"}}),
    fails=(404, 422),
    query={
        "line": "result, target or stop_loss",
        "from": "Milliseconds since the epoch",
        "to": "The same",
        "step": "Seconds",
    },
)
