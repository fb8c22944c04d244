"""What one measurement found, before it becomes records."""

from __future__ import annotations

from typing import Any, NamedTuple

from atalaia_agent.failures import ProbeError

Sample = tuple[str, dict[str, str], float]


class Ping(NamedTuple):
    """All in milliseconds; `rtt_ms` is by the agent's monotonic clock, less the collector's own time."""

    ping_id: str
    outcome: str
    rtt_ms: float | None
    connect_ms: float | None
    processing_ms: float | None
    source: dict[str, str]
    target: str


class Outcome:
    """Filled in while a probe runs, so that what was measured before a failure is kept."""

    __slots__ = ("data", "error", "is_degraded", "is_ok", "message", "ms", "outcome", "phases", "ping", "samples")

    def __init__(self) -> None:
        self.is_ok = True
        self.is_degraded = False
        self.outcome = "ok"
        self.error: str | None = None
        self.message: str | None = None
        self.ms: float | None = None
        self.phases: dict[str, float] = {}
        self.data: dict[str, Any] = {}
        self.samples: list[Sample] = []
        self.ping: Ping | None = None

    def fail(self, failure: ProbeError) -> None:
        self.is_ok = False
        self.is_degraded = False
        self.outcome = failure.outcome
        self.error = failure.code
        self.message = failure.message

    def degrade(self, code: str, message: str) -> None:
        if self.is_ok:
            self.is_degraded = True
            self.error = code
            self.message = message
