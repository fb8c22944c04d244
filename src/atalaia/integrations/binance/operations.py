"""Operations: entered, changed, stopped and closed by people; what the runs do with them is in `run`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

import msgspec

from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange.port import Exchange
from atalaia.integrations.binance.model.deciding import Reason, Wishes
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.legs import Intent
from atalaia.integrations.binance.model.money import plain, read_money
from atalaia.integrations.binance.model.operations import Operation, OperationEvent, Point, Watched
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.people import By
from atalaia.integrations.binance.queries import accounts, history, operations, orders
from atalaia.integrations.binance.queries.operations import ActiveFilter
from atalaia.integrations.binance.setup import TASK
from atalaia.integrations.binance.telling import TOPIC, fault_key, leg_fault_key
from atalaia.sdk.integration import Host
from atalaia.sdk.transaction import Tx

__all__ = ["ActiveFilter", "NewOperation", "OperationChange", "Operations", "Panic", "Shown"]
_LONGEST_NAME: Final = 120
UNSET: Final = msgspec.UNSET
# After a person has changed something, failures are counted anew.
_AFRESH: Final[Mapping[str, Any]] = {"failures": 0, "retry_at": None, "has_fault": False}


class NewOperation(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Money as decimal text; `account` is an id or a name. `gross`: fees and funding are left out of the decision."""

    account: str
    symbol: str
    profit_target: str
    auto_close_enabled: bool
    name: str = ""
    stop_loss: str | None = None
    trailing: str | None = None
    gross: bool = False
    dry_run: bool = False


class OperationChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays; None takes a stop-loss or trailing away."""

    name: str | msgspec.UnsetType = UNSET
    profit_target: str | msgspec.UnsetType = UNSET
    stop_loss: str | msgspec.UnsetType | None = UNSET
    trailing: str | msgspec.UnsetType | None = UNSET
    gross: bool | msgspec.UnsetType = UNSET
    auto_close_enabled: bool | msgspec.UnsetType = UNSET
    dry_run: bool | msgspec.UnsetType = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An active operation with its account's name."""

    watched: Watched
    account: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panic:
    """`closing` are closed with the next run; of `dry_runs` nothing is ever sent.

    `is_begun`: that run was begun at once; else it comes with the next signal.
    """

    closing: Sequence[Shown]
    dry_runs: Sequence[Shown]
    is_begun: bool = False


class Operations:
    def __init__(self, host: Host, exchange: Exchange) -> None:
        self._host = host
        self._exchange = exchange

    # -- reading

    async def all(self) -> list[Shown]:
        """The active ones, oldest first."""
        return await self._host.read(_all)

    async def page(self, wanted: ActiveFilter, *, limit: int, after: str | None = None) -> list[Shown]:
        """The active ones, oldest first; one more than `limit` where there are more."""

        def unit(tx: Tx) -> list[Shown]:
            return _named(tx, operations.page(tx, wanted, limit=limit, after=after))

        return await self._host.read(unit)

    async def one(self, id: str) -> Shown | Trade:
        """Active, or closed. Raises: NotFound."""

        def unit(tx: Tx) -> Shown | Trade | None:
            watched = operations.find(tx, id)
            return history.trade(tx, id) if watched is None else _shown(tx, watched)

        found = await self._host.read(unit)
        if found is None:
            raise _not_found()
        return found

    async def events(self, id: str, *, limit: int = 50, after: str | None = None) -> list[OperationEvent]:
        """Newest first; one more than `limit` where there are more. Also of one that is closed."""
        return await self._host.read(lambda tx: history.events_page(tx, id, limit=limit, after=after))

    async def points(self, id: str) -> list[Point]:
        """The result over time, oldest first. Also of one that is closed."""
        return await self._host.read(lambda tx: history.points_of(tx, id))

    async def orders(self, id: str) -> list[Intent]:
        """Oldest first. Also of one that is closed."""
        return await self._host.read(lambda tx: orders.of_operation(tx, id))

    # -- changing

    async def add(self, new: NewOperation, *, by: By) -> Shown:
        """
        Raises:
            InvalidField: names the field.
            Conflict: the account has an active operation on this symbol.
            TemporaryFailure: the exchange's symbols can't be read now.
        """  # noqa: D205, D212 - it only raises
        wishes = Wishes(
            profit_target=_positive(new.profit_target, "profit_target"),
            stop_loss=_positive_or_none(new.stop_loss, "stop_loss"),
            trailing=_positive_or_none(new.trailing, "trailing"),
            is_gross=new.gross,
        )
        symbol = new.symbol.strip().upper()
        if symbol not in await self._exchange.market.rules():
            raise InvalidField("symbol", N_("The exchange has no such symbol."))
        operation = Operation(
            id=new_id(),
            account_id="",
            symbol=symbol,
            name=_name(new.name) or symbol,
            wishes=wishes,
            auto_close_enabled=new.auto_close_enabled,
            dry_run=new.dry_run,
            opened_at=await self._exchange.market.server_time(),  # by the clock that funding is told by
            updated_at=self._host.clock.now(),
        )
        return await self._host.write(lambda tx: self._add(tx, operation, new.account, by))

    def _add(self, tx: Tx, operation: Operation, account: str, by: By) -> Shown:
        row = accounts.find(tx, account) if account.isprintable() else None
        if row is None or not accounts.lock(tx, row.id):
            raise InvalidField("account", N_("There is no such account."))
        if operations.is_taken(tx, account_id=row.id, symbol=operation.symbol):
            raise Conflict(N_("The account has an active operation on this symbol already."))
        operation = replace(operation, account_id=row.id)
        operations.add(tx, operation)
        self._tell(tx, operation, "created", by, _wished(operation))
        return Shown(watched=Watched(operation=operation), account=row.name)

    async def change(self, id: str, change: OperationChange, *, by: By) -> Shown:
        """Raises: NotFound; InvalidField; Conflict: it is being closed."""
        values = _values(change)

        def unit(tx: Tx) -> Shown:
            operation = self._changeable(tx, id)
            operations.change(tx, id, {**values, **_AFRESH}, now=self._host.clock.now())
            operations.forget_standing(tx, id)
            self._tell(tx, operation, _kind(operation, values), by, values)
            return self._again(tx, id)

        return await self._host.write(unit)

    async def stop(self, id: str, *, by: By) -> Shown:
        """Nothing is decided any more, until it is started again. Raises as `change`."""
        return await self.change(id, OperationChange(auto_close_enabled=False), by=by)

    async def start(self, id: str, *, by: By) -> Shown:
        """Raises as `change`."""
        return await self.change(id, OperationChange(auto_close_enabled=True), by=by)

    async def close_now(self, id: str, *, by: By) -> Shown:
        """With the next run, which is begun at once if it may, whatever it stands at. Raises: NotFound; Conflict: it is being closed."""

        def unit(tx: Tx) -> Shown:
            operation = self._changeable(tx, id)
            self._want(tx, operation, Reason.BY_HAND, by)
            return self._again(tx, id)

        shown = await self._host.write(unit)
        await self._host.look_now(TASK, by=by.principal)
        return shown

    async def panic(self, *, by: By) -> Panic:
        """Close all of them with the next run, those that are stopped too; what `all` shows is what would be closed."""

        def unit(tx: Tx) -> Panic:
            shown = _all(tx)
            active = [each for each in shown if each.watched.operation.state is State.ACTIVE]
            for each in active:
                self._want(tx, each.watched.operation, Reason.PANIC, by)
            names = [each.watched.operation.name for each in shown]
            self._audit(tx, "binance.panic", "binance", by, operations=len(shown), names=names)
            return Panic(
                closing=[each for each in shown if not each.watched.operation.dry_run],
                dry_runs=[each for each in shown if each.watched.operation.dry_run],
            )

        done = await self._host.write(unit)
        return replace(done, is_begun=await self._host.look_now(TASK, by=by.principal))

    async def remove(self, id: str, *, by: By) -> None:
        """Give it up: its positions stay as they are. Raises: NotFound; Conflict: it is being closed."""

        def unit(tx: Tx) -> None:
            operation = self._changeable(tx, id)
            operations.remove(tx, id)
            self._tell(tx, operation, "given_up", by, {})

        await self._host.write(unit)

    # -- inside

    def _changeable(self, tx: Tx, id: str) -> Operation:
        watched = operations.find(tx, id, to_change=True)
        if watched is None:
            raise _not_found()
        if watched.operation.state is not State.ACTIVE:
            raise Conflict(N_("The operation is being closed."))
        self._host.end_fault(tx, fault_key(id))
        self._host.end_fault(tx, leg_fault_key(id))
        return watched.operation

    def _again(self, tx: Tx, id: str) -> Shown:
        watched = operations.find(tx, id)
        if watched is None:
            raise _not_found()
        return _shown(tx, watched)

    def _want(self, tx: Tx, operation: Operation, reason: Reason, by: By) -> None:
        values = {"wanted": str(reason), **_AFRESH}
        operations.change(tx, operation.id, values, now=self._host.clock.now())
        self._tell(tx, operation, "close_wanted", by, {"reason": str(reason)})

    def _tell(self, tx: Tx, operation: Operation, kind: str, by: By, data: Mapping[str, Any]) -> None:
        """On its events, and on the audit log."""
        history.note(tx, operation.id, kind, {"by": by.principal.name, **data}, at=self._host.clock.now())
        shown = {name: plain(value) if isinstance(value, Decimal) else value for name, value in data.items()}
        target = f"binance_operation:{operation.id}"
        self._audit(tx, f"binance.operation_{kind}", target, by, operation=operation.name, **shown)
        tx.publish(TOPIC)
        tx.publish(TOPIC, operation.id)

    def _audit(self, tx: Tx, action: str, target: str, by: By, **details: Any) -> None:
        self._host.audit(tx, by=by.principal, action=action, target=target, client=by.client, **details)


def _all(tx: Tx) -> list[Shown]:
    return _named(tx, operations.all_of_them(tx))


def _named(tx: Tx, found: Sequence[Watched]) -> list[Shown]:
    names = {row.id: row.name for row in accounts.all_of_them(tx)}
    return [Shown(watched=each, account=names.get(each.operation.account_id, "")) for each in found]


def _shown(tx: Tx, watched: Watched) -> Shown:
    row = accounts.find(tx, watched.operation.account_id)
    return Shown(watched=watched, account=row.name if row else "")


def _kind(operation: Operation, values: Mapping[str, Any]) -> str:
    """Only started or stopped, or changed."""
    wanted = values.get("auto_close_enabled")
    if set(values) != {"auto_close_enabled"} or wanted == operation.auto_close_enabled:
        return "changed"
    return "started" if wanted else "stopped"


def _wished(operation: Operation) -> dict[str, Any]:
    wishes = operation.wishes
    return {
        "symbol": operation.symbol,
        "profit_target": wishes.profit_target,
        "stop_loss": wishes.stop_loss,
        "trailing": wishes.trailing,
        "gross": wishes.is_gross,
        "auto_close_enabled": operation.auto_close_enabled,
        "dry_run": operation.dry_run,
    }


_READERS: Final[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {
    "name": ("name", lambda text: _name(text) or _raise_empty()),
    "profit_target": ("profit_target", lambda text: _positive(text, "profit_target")),
    "stop_loss": ("stop_loss", lambda text: _positive_or_none(text, "stop_loss")),
    "trailing": ("trailing", lambda text: _positive_or_none(text, "trailing")),
    "gross": ("is_gross", bool),
    "auto_close_enabled": ("auto_close_enabled", bool),
    "dry_run": ("dry_run", bool),
}


def _values(change: OperationChange) -> dict[str, Any]:
    """Columns. Raises: InvalidField."""
    given = {name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET}
    return {_READERS[name][0]: _READERS[name][1](value) for name, value in given.items()}


def _name(text: str) -> str:
    text = text.strip()
    if not text.isprintable():  # "" is
        raise InvalidField("name", N_("This can't be read."))
    if len(text) > _LONGEST_NAME:
        raise InvalidField("name", N_("{most} characters at most"), most=_LONGEST_NAME)
    return text


def _raise_empty() -> str:
    raise InvalidField("name", N_("It needs a name."))


def _positive(text: str, field: str) -> Decimal:
    value = read_money(text, field)
    if value <= 0:
        raise InvalidField(field, N_("more than 0"))
    return value


def _positive_or_none(text: str | None, field: str) -> Decimal | None:
    return None if text is None else _positive(text, field)


def _not_found() -> NotFound:
    return NotFound(N_("There is no such operation."))
