"""Calls, added up: by minute, operation and outcome, with a histogram of durations; failures one by one, the last of them."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from atalaia.core.ids import new_id
from atalaia.core.redaction import scrub
from atalaia.sdk.upstreams import CallOutcome, CallRecord

# Upper bounds in ms; the last bucket has what took longer.
BOUNDS_MS = (5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000)
# What one batch keeps of the failures of one upstream; all of them are counted.
FAILURES_IN_BATCH = 50
MAX_NAME = 100
_NOT_SENT: frozenset[CallOutcome] = frozenset({"refused"})


def kept_text(text: str) -> str:
    """What comes from outside may have a NUL in it, which PostgreSQL takes in no text."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


class Minute(msgspec.Struct):
    """Calls of one upstream, account, operation and outcome that ended in one minute."""

    upstream: str
    account: str
    operation: str
    outcome: str
    minute_at: datetime
    calls: int = 0
    total_ms: float = 0.0
    max_ms: float = 0.0
    buckets: list[int] = msgspec.field(default_factory=lambda: [0] * (len(BOUNDS_MS) + 1))

    def add(self, duration_ms: float) -> None:
        self.calls += 1
        self.total_ms += duration_ms
        self.max_ms = max(self.max_ms, duration_ms)
        self.buckets[bisect_left(BOUNDS_MS, duration_ms)] += 1

    def merge(self, other: "Minute") -> None:
        self.calls += other.calls
        self.total_ms += other.total_ms
        self.max_ms = max(self.max_ms, other.max_ms)
        self.buckets = [mine + its for mine, its in zip(self.buckets, other.buckets, strict=True)]

    @property
    def key(self) -> tuple[str, str, str, str, datetime]:
        return self.upstream, self.account, self.operation, self.outcome, self.minute_at


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    upstream: str
    account: str
    operation: str
    outcome: str
    status: int | None
    error: str
    duration_ms: float
    at: datetime


class Batch:
    """What waits to be written."""

    def __init__(self) -> None:
        self.minutes: dict[tuple[str, str, str, str, datetime], Minute] = {}
        self.failures: dict[str, list[Failure]] = {}

    def __bool__(self) -> bool:
        return bool(self.minutes)

    def add(self, call: CallRecord) -> None:
        minute = Minute(
            upstream=call.upstream,
            account=call.account[:MAX_NAME],
            operation=kept_text(call.operation[:MAX_NAME]),
            outcome=call.outcome,
            minute_at=call.at.replace(second=0, microsecond=0),
        )
        self.minutes.setdefault(minute.key, minute).add(call.duration_ms)
        if call.outcome != "ok" and call.outcome not in _NOT_SENT:
            self._keep(call)

    def merge(self, other: "Batch") -> None:
        for key, minute in other.minutes.items():
            if key in self.minutes:
                self.minutes[key].merge(minute)
            else:
                self.minutes[key] = minute
        for name, failures in other.failures.items():
            self.failures[name] = [*self.failures.get(name, ()), *failures][-FAILURES_IN_BATCH:]

    def _keep(self, call: CallRecord) -> None:
        kept = self.failures.setdefault(call.upstream, [])
        failure = Failure(
            id=new_id(),
            upstream=call.upstream,
            account=call.account[:MAX_NAME],
            operation=kept_text(call.operation[:MAX_NAME]),
            outcome=call.outcome,
            status=call.status,
            error=kept_text(scrub(call.error)),
            duration_ms=call.duration_ms,
            at=call.at,
        )
        self.failures[call.upstream] = [*kept, failure][-FAILURES_IN_BATCH:]


class Summary(msgspec.Struct, frozen=True):
    """Of the calls that went out; what the breaker held back is `held_back`."""

    calls: int = 0
    ok: int = 0
    held_back: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    max_ms: float | None = None

    @property
    def success_rate(self) -> float | None:
        return self.ok / self.calls if self.calls else None


class OperationSummary(msgspec.Struct, frozen=True):
    operation: str
    summary: Summary


def summary_of(minutes: Iterable[Minute]) -> Summary:
    kept = list(minutes)
    sent = [minute for minute in kept if minute.outcome not in _NOT_SENT]
    calls = sum(minute.calls for minute in sent)
    if not calls:
        return Summary(held_back=sum(minute.calls for minute in kept))
    buckets = [sum(column) for column in zip(*(minute.buckets for minute in sent), strict=True)]
    max_ms = max(minute.max_ms for minute in sent)
    return Summary(
        calls=calls,
        ok=sum(minute.calls for minute in sent if minute.outcome == "ok"),
        held_back=sum(minute.calls for minute in kept) - calls,
        p50_ms=quantile_ms(buckets, 0.5, max_ms=max_ms),
        p95_ms=quantile_ms(buckets, 0.95, max_ms=max_ms),
        max_ms=max_ms,
    )


def by_operation(minutes: Sequence[Minute]) -> list[OperationSummary]:
    """Those with the most failures first, then those with the most calls."""
    names = {minute.operation for minute in minutes}
    made = [
        OperationSummary(name, summary_of(minute for minute in minutes if minute.operation == name)) for name in names
    ]
    return sorted(made, key=lambda each: (each.summary.ok - each.summary.calls, -each.summary.calls, each.operation))


def quantile_ms(buckets: Sequence[int], share: float, *, max_ms: float) -> float | None:
    """Within a bucket evenly spread; never more than the longest that was seen."""
    total = sum(buckets)
    if not total:
        return None
    rank, below = share * total, 0
    for place, count in enumerate(buckets):
        if count and below + count >= rank:
            low = BOUNDS_MS[place - 1] if place else 0
            high = BOUNDS_MS[place] if place < len(BOUNDS_MS) else max(max_ms, low)
            return min(max_ms, low + (high - low) * (rank - below) / count)
        below += count
    return max_ms


def steps(minutes: Iterable[Minute], *, start: datetime, step_s: float) -> dict[datetime, list[Minute]]:
    """The minutes of each step of a chart."""
    made: dict[datetime, list[Minute]] = {}
    for minute in minutes:
        number = int((minute.minute_at - start).total_seconds() // step_s)
        made.setdefault(start + timedelta(seconds=number * step_s), []).append(minute)
    return made
