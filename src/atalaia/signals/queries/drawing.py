"""Answers and runs summed up, for charts and for lists."""

from typing import NamedTuple

from sqlalchemy import func, select

from atalaia.sdk.transaction import Tx
from atalaia.signals.queries.counts import ANSWERS
from atalaia.signals.tables import signal_hours as hours
from atalaia.signals.tables import signal_minutes as minutes
from atalaia.signals.tables import signal_refusals as refusals

_SUMS = [func.sum(minutes.c[name]).label(name) for name in ANSWERS]
_RUNS = [
    func.sum(hours.c.runs).label("runs"),
    func.sum(hours.c.total_ms).label("total_ms"),
    func.max(hours.c.slowest_ms).label("slowest_ms"),
]


class Ended(NamedTuple):
    """Runs that ended within a span of time."""

    runs: int
    total_ms: int
    slowest_ms: int


def answers_by_slot(tx: Tx, signal: str, *, first: int, end: int, minutes_each: int) -> dict[int, dict[str, int]]:
    """Of the minutes (since the epoch) from `first` to before `end`; a slot's number is its first minute over its length."""
    slot = (minutes.c.minute // minutes_each).label("slot")
    condition = (minutes.c.signal == signal) & (minutes.c.minute >= first) & (minutes.c.minute < end)
    rows = tx.rows(select(slot, *_SUMS).where(condition).group_by(slot))
    return {int(row.slot): {name: int(getattr(row, name)) for name in ANSWERS} for row in rows}


def answers_of_all(tx: Tx, *, first: int, end: int) -> dict[str, dict[str, int]]:
    """By signal; minutes since the epoch."""
    condition = (minutes.c.minute >= first) & (minutes.c.minute < end)
    rows = tx.rows(select(minutes.c.signal, *_SUMS).where(condition).group_by(minutes.c.signal))
    return {row.signal: {name: int(getattr(row, name)) for name in ANSWERS} for row in rows}


def ended_by_slot(tx: Tx, signal: str, *, first: int, end: int, hours_each: int) -> dict[int, Ended]:
    """As `answers_by_slot`, in hours."""
    slot = (hours.c.hour // hours_each).label("slot")
    condition = (hours.c.signal == signal) & (hours.c.hour >= first) & (hours.c.hour < end)
    rows = tx.rows(select(slot, *_RUNS).where(condition).group_by(slot))
    return {int(row.slot): Ended(int(row.runs), int(row.total_ms), int(row.slowest_ms)) for row in rows}


def ended_of_all(tx: Tx, *, first: int) -> dict[str, Ended]:
    """By signal; hours since the epoch."""
    rows = tx.rows(select(hours.c.signal, *_RUNS).where(hours.c.hour >= first).group_by(hours.c.signal))
    return {row.signal: Ended(int(row.runs), int(row.total_ms), int(row.slowest_ms)) for row in rows}


def ended_with(tx: Tx, signal: str, outcome: str, *, first: int) -> int:
    """How many runs ended so since the hour `first` (since the epoch)."""
    condition = (hours.c.signal == signal) & (hours.c.outcome == outcome) & (hours.c.hour >= first)
    return int(tx.value(select(func.sum(hours.c.runs)).where(condition)) or 0)


def refused_places(tx: Tx, signal: str) -> list[tuple[str, int]]:
    """From where it was sent with a key that is not taken, and how often; the worst first."""
    question = select(refusals.c.place, refusals.c.times).where(refusals.c.signal == signal)
    return [(row.place, row.times) for row in tx.rows(question.order_by(refusals.c.times.desc()).limit(5))]
