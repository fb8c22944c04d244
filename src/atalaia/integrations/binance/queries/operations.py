"""SQL on operations: what they are, and how they stood at the last look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, delete, insert, select, update

from atalaia.integrations.binance.exchange.port import Rates
from atalaia.integrations.binance.model.deciding import Reason, Undecided, Wishes
from atalaia.integrations.binance.model.legs import LegPlan
from atalaia.integrations.binance.model.money import as_json
from atalaia.integrations.binance.model.operations import Costs, Operation, Standing, Watched
from atalaia.integrations.binance.model.result import LegNow, Result
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.tables import accounts, costs, operations, results
from atalaia.sdk.transaction import Tx

_PREFIXED = [results.c[name].label(f"r_{name}") for name in results.c.keys() if name != "operation_id"]  # noqa: SIM118 - columns
_COSTS = [costs.c[name].label(f"c_{name}") for name in costs.c.keys() if name != "operation_id"]  # noqa: SIM118 - as above
_RESULT_NAMES = [name for name in results.c.keys() if name != "operation_id"]  # noqa: SIM118 - as above


def _selected() -> Select[Any]:
    joined = operations.outerjoin(results, results.c.operation_id == operations.c.id).outerjoin(
        costs, costs.c.operation_id == operations.c.id
    )
    return select(operations, *_PREFIXED, *_COSTS).select_from(joined)


def _watched(row: Any) -> Watched:
    return Watched(operation=_operation(row), standing=_standing(row), costs=_costs(row))


def _operation(row: Any) -> Operation:
    wishes = Wishes(
        profit_target=row.profit_target, stop_loss=row.stop_loss, trailing=row.trailing, is_gross=row.is_gross
    )
    return Operation(
        id=row.id,
        account_id=row.account_id,
        symbol=row.symbol,
        name=row.name,
        wishes=wishes,
        auto_close_enabled=row.auto_close_enabled,
        dry_run=row.dry_run,
        state=State(row.state),
        revision=row.revision,
        wanted=None if row.wanted is None else Reason(row.wanted),
        reason=None if row.reason is None else Reason(row.reason),
        plan=() if row.plan is None else msgspec.convert(row.plan, tuple[LegPlan, ...]),
        failures=row.failures,
        retry_at=row.retry_at,
        has_fault=row.has_fault,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
    )


def _standing(row: Any) -> Standing:
    if row.r_at is None:
        return Standing()
    result = None
    if row.r_mark is not None:
        result = Result(
            long=_leg(row.r_long_amount, row.r_long_entry, row.r_long_pnl),
            short=_leg(row.r_short_amount, row.r_short_entry, row.r_short_pnl),
            mark=row.r_mark,
            gross=row.r_gross,
            fees=row.r_fees,
            funding=row.r_funding,
            net=row.r_net,
            basis=row.r_basis,
        )
    return Standing(
        current_pnl=row.r_current_pnl,
        result=result,
        peak=row.r_peak,
        undecided=None if row.r_undecided is None else Undecided(row.r_undecided),
        would_close=None if row.r_would_close is None else Reason(row.r_would_close),
        at=row.r_at,
    )


def _leg(amount: Any, entry: Any, pnl: Any) -> LegNow | None:
    return None if amount is None else LegNow(amount=amount, entry=entry, pnl=pnl)


def _costs(row: Any) -> Costs:
    return Costs(
        rates=None if row.c_taker is None else Rates(row.c_taker, row.c_maker),
        rates_at=row.c_rates_at,
        funding=row.c_funding,
        funding_at=row.c_funding_at,
    )


# -- reading


def all_of_them(tx: Tx, *, account_id: str | None = None) -> list[Watched]:
    question = _selected().order_by(operations.c.id)
    if account_id is not None:
        question = question.where(operations.c.account_id == account_id)
    return [_watched(row) for row in tx.rows(question)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveFilter:
    """`account` is an id or a name."""

    account: str | None = None
    symbol: str | None = None
    state: State | None = None


def page(tx: Tx, wanted: ActiveFilter, *, limit: int, after: str | None = None) -> list[Watched]:
    """Oldest first, from past the id `after`; one more than `limit`, to see whether there is a next page."""
    c = operations.c
    question = _selected().order_by(c.id).limit(limit + 1)
    if wanted.account:
        named = select(accounts.c.id).where((accounts.c.id == wanted.account) | (accounts.c.name == wanted.account))
        question = question.where(c.account_id.in_(named))
    if wanted.symbol:
        question = question.where(c.symbol == wanted.symbol)
    if wanted.state:
        question = question.where(c.state == str(wanted.state))
    if after:
        question = question.where(c.id > after)
    return [_watched(row) for row in tx.rows(question)]


def to_look_at(tx: Tx) -> list[Watched]:
    """Those with something to do in a run: a close has begun, is wanted, or may become due."""
    c = operations.c
    due = (c.state != str(State.ACTIVE)) | c.auto_close_enabled | c.wanted.is_not(None)
    return [_watched(row) for row in tx.rows(_selected().where(due).order_by(c.id))]


def are_closing(tx: Tx) -> bool:
    """Whether a close was asked for, or has begun."""
    c = operations.c
    return tx.one(select(c.id).where((c.state != str(State.ACTIVE)) | c.wanted.is_not(None)).limit(1)) is not None


def find(tx: Tx, id: str, *, to_change: bool = False) -> Watched | None:
    """`to_change`: locked until the commit."""
    question = _selected().where(operations.c.id == id)
    if to_change:
        question = question.with_for_update(of=operations)
    row = tx.one(question)
    return None if row is None else _watched(row)


def is_taken(tx: Tx, *, account_id: str, symbol: str) -> bool:
    c = operations.c
    return tx.one(select(c.id).where((c.account_id == account_id) & (c.symbol == symbol))) is not None


def present(tx: Tx, ids: Sequence[str]) -> set[str]:
    """Those of them that are still there, kept from leaving until the commit."""
    c = operations.c
    return {row.id for row in tx.rows(select(c.id).where(c.id.in_(ids)).order_by(c.id).with_for_update())}


# -- writing


def add(tx: Tx, operation: Operation) -> None:
    wishes = operation.wishes
    row = {
        "id": operation.id,
        "account_id": operation.account_id,
        "symbol": operation.symbol,
        "name": operation.name,
        "profit_target": wishes.profit_target,
        "stop_loss": wishes.stop_loss,
        "trailing": wishes.trailing,
        "is_gross": wishes.is_gross,
        "auto_close_enabled": operation.auto_close_enabled,
        "dry_run": operation.dry_run,
        "state": str(operation.state),
        "revision": operation.revision,
        "failures": 0,
        "has_fault": False,
        "opened_at": operation.opened_at,
        "updated_at": operation.updated_at,
    }
    tx.execute(insert(operations), row)


def change(tx: Tx, id: str, values: Mapping[str, Any], *, now: datetime) -> None:
    """By a person."""
    changed = {**values, "revision": operations.c.revision + 1, "updated_at": now}
    tx.execute(update(operations).where(operations.c.id == id).values(changed))


def move(tx: Tx, operation: Operation, to: State, **values: Any) -> bool:
    """From the state and revision in which it was read; False: somebody was quicker, and nothing was changed."""
    is_same: ColumnElement[bool] = (
        (operations.c.id == operation.id)
        & (operations.c.state == str(operation.state))
        & (operations.c.revision == operation.revision)
    )
    if "plan" in values:
        values["plan"] = None if values["plan"] is None else as_json(values["plan"])
    return tx.execute(update(operations).where(is_same).values(state=str(to), **values)) == 1


def put_standing(tx: Tx, standings: Sequence[tuple[str, Standing]]) -> None:
    rows = [_standing_row(operation_id, standing) for operation_id, standing in standings]
    tx.upsert(results, rows, key=["operation_id"], update=_RESULT_NAMES)


def forget_standing(tx: Tx, id: str) -> None:
    """A person has changed what is wished: peak and a dry run's word begin anew."""
    tx.execute(update(results).where(results.c.operation_id == id).values(peak=None, would_close=None))


def _standing_row(operation_id: str, standing: Standing) -> dict[str, Any]:
    result = standing.result
    row: dict[str, Any] = {
        "operation_id": operation_id,
        "current_pnl": standing.current_pnl,
        "peak": standing.peak,
        "undecided": standing.undecided,
        "would_close": standing.would_close,
        "at": standing.at,
    }
    for name in ("gross", "fees", "funding", "net", "mark", "basis"):
        row[name] = None if result is None else getattr(result, name)
    for side in ("long", "short"):
        leg = None if result is None else getattr(result, side)
        for name in ("amount", "entry", "pnl"):
            row[f"{side}_{name}"] = None if leg is None else getattr(leg, name)
    return row


def put_costs(tx: Tx, found: Mapping[str, Costs]) -> None:
    rows = [
        {
            "operation_id": operation_id,
            "taker": None if each.rates is None else each.rates.taker,
            "maker": None if each.rates is None else each.rates.maker,
            "rates_at": each.rates_at,
            "funding": each.funding,
            "funding_at": each.funding_at,
        }
        for operation_id, each in found.items()
    ]
    tx.upsert(costs, rows, key=["operation_id"], update=["taker", "maker", "rates_at", "funding", "funding_at"])


def remove(tx: Tx, id: str, *, state: State | None = None) -> bool:
    """It leaves the active ones; with `state` only from there."""
    question = delete(operations).where(operations.c.id == id)
    if state is not None:
        question = question.where(operations.c.state == str(state))
    if tx.execute(question) != 1:
        return False
    for table in (results, costs):
        tx.execute(delete(table).where(table.c.operation_id == id))
    return True
