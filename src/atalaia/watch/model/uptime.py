"""Uptime from spans. Time that nobody knows of (unknown, paused, before the check) counts neither for nor against. Pure."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import Span

_GOOD = frozenset({CheckState.UP, CheckState.DEGRADED})
_WORST_OF_DAY = (CheckState.DOWN, CheckState.DEGRADED, CheckState.UP, CheckState.MAINTENANCE, CheckState.UNKNOWN)


class Day(msgspec.Struct, frozen=True):
    """`date`: its beginning, in the reader's zone; `state`: the worst, None where there was no check.

    `uptime` from 0 to 1, None where nothing is known.
    """

    date: datetime
    state: CheckState | None
    uptime: float | None
    note: str | None = None


def seconds_by_state(spans: Sequence[Span], since: datetime, until: datetime) -> dict[CheckState, float]:
    found: dict[CheckState, float] = {}
    for span in spans:
        lasted_s = (min(span.ended_at or until, until) - max(span.started_at, since)).total_seconds()
        if lasted_s > 0:
            found[span.state] = found.get(span.state, 0.0) + lasted_s
    return found


def uptime_of(seconds: dict[CheckState, float]) -> float | None:
    good = sum(lasted_s for state, lasted_s in seconds.items() if state in _GOOD)
    known = good + seconds.get(CheckState.DOWN, 0.0)
    return good / known if known else None


def uptime(spans: Sequence[Span], since: datetime, until: datetime) -> float | None:
    return uptime_of(seconds_by_state(spans, since, until))


def days(spans: Sequence[Span], *, now: datetime, timezone: ZoneInfo, count: int = 90) -> list[Day]:
    """The last `count` days of the reader, today among them, oldest first."""
    today = now.astimezone(timezone).date()
    return [_day(spans, today - timedelta(days=back), now, timezone) for back in range(count - 1, -1, -1)]


def _day(spans: Sequence[Span], day: date, now: datetime, timezone: ZoneInfo) -> Day:
    begins = datetime.combine(day, time(), timezone)
    ends = min(datetime.combine(day + timedelta(days=1), time(), timezone), now)
    seconds = seconds_by_state(spans, begins, ends)
    state = next((state for state in _WORST_OF_DAY if state in seconds), next(iter(seconds), None))
    return Day(begins, state, uptime_of(seconds))
