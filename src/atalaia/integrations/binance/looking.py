"""One look at an operation: how it stands, and what follows from that. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from atalaia.integrations.binance.exchange.port import Position, Price
from atalaia.integrations.binance.model.deciding import Decision, Reason, decide
from atalaia.integrations.binance.model.operations import Standing, Watched
from atalaia.integrations.binance.model.result import Result, result_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the exchange said, and when; `now` and the price by its clock. `positions` are of the operation's symbol."""

    price: Price | None
    positions: Sequence[Position]
    now: datetime
    max_price_age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`close`: why it is to be closed now, None: it isn't. `would_close`: why a dry run would, said for the first time."""

    watched: Watched
    standing: Standing
    close: Reason | None = None
    would_close: Reason | None = None
    lost_leg: bool = False  # one of two legs that were there is gone
    is_changed: bool = False
    is_calm: bool = False  # it was decided upon, and there is nothing to do


def look(watched: Watched, seen: Seen, *, at: datetime) -> Look:
    """`at` is the hub's time, for the record."""
    operation, before = watched.operation, watched.standing
    result = _result(watched, seen)
    decision = _decision(watched, seen, result)
    reason = operation.wanted or (decision.reason if operation.auto_close_enabled else None)
    standing = Standing(
        current_pnl=None if result is None else result.value(is_gross=operation.wishes.is_gross),
        result=result,
        peak=decision.peak,
        undecided=decision.undecided,
        would_close=reason if operation.dry_run else None,
        at=at,
    )
    return Look(
        watched=watched,
        standing=standing,
        close=None if operation.dry_run or operation.is_waiting(at) else reason,
        would_close=standing.would_close if standing.would_close != before.would_close else None,
        lost_leg=_had_two(before.result) and len(seen.positions) == 1,
        is_changed=replace(standing, at=before.at) != before,
        is_calm=reason is None and decision.undecided is None,
    )


def _result(watched: Watched, seen: Seen) -> Result | None:
    """At the mark price that was read for all; without one, at the price that the positions were told with."""
    if not seen.positions:
        return None
    mark = seen.positions[0].mark if seen.price is None else seen.price.mark
    return result_of(seen.positions, mark=mark, rates=watched.costs.rates, funding=watched.costs.funding)


def _decision(watched: Watched, seen: Seen, result: Result | None) -> Decision:
    age_s = float("inf") if seen.price is None else (seen.now - seen.price.at).total_seconds()
    return decide(
        result,
        watched.operation.wishes,
        peak=watched.standing.peak,
        price_age_s=age_s,
        max_price_age_s=seen.max_price_age_s,
    )


def _had_two(result: Result | None) -> bool:
    return result is not None and result.long is not None and result.short is not None
