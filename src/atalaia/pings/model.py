"""Pings as they come in, what agents say of them, and what that adds up to. Pure."""

import math
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

MAX_WORD = 200
ID_BYTES = 16
OK = "ok"
OUTCOMES = ("timeout", "connection_error", "unknown_error")

_Word = Annotated[str, Meta(min_length=1, max_length=MAX_WORD)]
_MayBeEmpty = Annotated[str, Meta(max_length=MAX_WORD)]


class SourceIn(msgspec.Struct, frozen=True):
    location: _Word
    datacenter: _MayBeEmpty
    country: _MayBeEmpty


class PingIn(msgspec.Struct, frozen=True):
    """The body of POST /api/ping. `timestamp_start` is the sender's clock: it is checked, and never used."""

    timestamp_start: datetime
    source: SourceIn
    ping_id: UUID


class SourceKey(NamedTuple):
    location: str
    datacenter: str
    country: str


class Received(NamedTuple):
    """A ping on its way into the store; `ping_id` as its 16 bytes."""

    ping_id: bytes
    source: SourceKey
    received_ms: int


class Report(NamedTuple):
    """What one ping came to, by the sender's own clock; None: not known."""

    at_ms: int
    outcome: str
    rtt_ms: float | None
    connect_ms: float | None


class Source(msgspec.Struct, frozen=True):
    location: str
    datacenter: str
    country: str


class RouteStats(msgspec.Struct, frozen=True, kw_only=True):
    """Of one source (and one target, where `target` is said) over a span of time.

    `count` are the pings received here, each once; `loss` (0..1) and the rest come from what the agents reported, None where
    there is nothing to tell. `jitter_ms` is the mean change from one round trip to the next.
    """

    source: Source
    count: int
    loss: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    jitter_ms: float | None
    last_ms: float | None
    last_at: datetime | None


class Summary(msgspec.Struct, frozen=True):
    reports: int
    loss: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    jitter_ms: float | None
    last: Report | None


def summarize(reports: Sequence[Report]) -> Summary:
    """`reports` in order of time."""
    if not reports:
        return Summary(0, None, None, None, None, None, None)
    trips = [report.rtt_ms for report in reports if report.outcome == OK and report.rtt_ms is not None]
    lost = sum(report.outcome != OK for report in reports)
    ordered = sorted(trips)
    changes = [abs(later - earlier) for earlier, later in pairwise(trips)]
    return Summary(
        len(reports),
        lost / len(reports),
        percentile(ordered, 0.50),
        percentile(ordered, 0.95),
        percentile(ordered, 0.99),
        sum(changes) / len(changes) if changes else None,
        reports[-1],
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of all are not above (nearest rank)."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def error_type(outcome: str) -> str:
    """The label of an outcome: `http_<code>` and the known ones as they are, whatever else is unknown_error."""
    if outcome in OUTCOMES or (outcome.startswith("http_") and outcome[5:].isdigit() and len(outcome) == 8):  # noqa: PLR2004
        return outcome
    return "unknown_error"
