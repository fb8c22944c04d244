"""Runs: one that is under way, and one that has ended."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec


class Outcome(StrEnum):
    SUCCEEDED = "succeeded"
    NOTHING = "nothing"  # there was nothing to do: counted, not kept
    FAILED = "failed"
    LOST = "lost"  # its process died, was cut off, or was stopped


FAILURES = frozenset({Outcome.FAILED, Outcome.LOST})


class Ending(NamedTuple):
    """What came of a run. `is_stop`: its hub was stopped, which is no failure of the task."""

    outcome: Outcome
    summary: str = ""
    params: dict[str, Any] = {}  # noqa: RUF012 - never changed
    error: str | None = None
    output: str | None = None
    is_stop: bool = False


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One that has ended and was kept; `outcome` is `running` for the one under way. `summary` is English, with `params`."""

    id: str
    signal: str
    fence: int
    source: str
    started_at: datetime
    ended_at: datetime | None = None
    took_ms: int | None = None
    outcome: str = "running"
    summary: str = ""
    params: dict[str, Any] = {}
    error: str | None = None
    output: str | None = None


class HourRow(NamedTuple):
    """Runs of one outcome that ended within an hour (since the epoch)."""

    hour: int
    outcome: str
    runs: int
    total_ms: int
    slowest_ms: int
