"""Lines of the page's charts, made of the minutes that are kept."""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from atalaia.core.clock import to_ms
from atalaia.upstreams.model.records import Minute, steps, summary_of

Measure = Literal["p50", "p95", "calls", "ok", "failed"]
MAX_STEPS = 5000
LEAST_STEP_S = 60.0  # what is kept is a minute

_FAILED = frozenset({"temporary", "auth", "permanent", "bad_payload"})


class Line(NamedTuple):
    labels: dict[str, str]
    times: list[int]
    values: list[float | None]


def lines_of(
    minutes: Sequence[Minute], measure: Measure, *, start: datetime, end: datetime, step_s: float
) -> list[Line]:
    """One line for p50 and p95, in seconds; per minute, 0 where there were none: calls (a line for each outcome), ok, failed."""
    grouped = steps(minutes, start=start, step_s=step_s)
    count = int((end - start).total_seconds() // step_s) + 1
    times = [start + timedelta(seconds=number * step_s) for number in range(count)]
    if measure == "calls":
        return [
            Line({"outcome": outcome}, _ms(times), _rates(grouped, times, {outcome}, step_s=step_s))
            for outcome in sorted({minute.outcome for minute in minutes})
        ]
    if measure in {"ok", "failed"}:
        counted = {"ok"} if measure == "ok" else _FAILED
        return [Line({}, _ms(times), _rates(grouped, times, counted, step_s=step_s))] if minutes else []
    return [Line({}, _ms(times), [_latency_s(grouped.get(at, ()), measure) for at in times])] if minutes else []


def _ms(times: Iterable[datetime]) -> list[int]:
    return [to_ms(at) for at in times]


def _rates(
    grouped: Mapping[datetime, Sequence[Minute]],
    times: Iterable[datetime],
    outcomes: AbstractSet[str],
    *,
    step_s: float,
) -> list[float | None]:
    per_step = (sum(minute.calls for minute in grouped.get(at, ()) if minute.outcome in outcomes) for at in times)
    return [calls / (step_s / LEAST_STEP_S) for calls in per_step]


def _latency_s(minutes: Sequence[Minute], measure: Measure) -> float | None:
    summary = summary_of(minutes)
    value_ms = summary.p50_ms if measure == "p50" else summary.p95_ms
    return None if value_ms is None else value_ms / 1000
