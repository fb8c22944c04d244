"""Agents and enrolments, as the rest of the hub sees them."""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from atalaia.agents.model.wire import Status

# An agent that nothing was heard of for so long is silent: what it measures is unknown, not down.
SILENT_AFTER_S = 60.0
# Beyond this the agent's clock counts as wrong: its times are kept, and flagged.
CLOCK_OFF_MS = 60_000


class AgentState(StrEnum):
    ONLINE = "online"
    SILENT = "silent"
    RETIRED = "retired"


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent last said of itself.

    `clock_skew_ms` is the hub's clock less the agent's at its last batch; `lag_ms` the age of that batch's oldest record
    when it was sent, both by the agent's clock.
    """

    status: Status = Status()
    clock_skew_ms: float | None = None
    lag_ms: int | None = None
    started_at: int | None = None
    address: str | None = None

    @property
    def is_clock_off(self) -> bool:
        return self.clock_skew_ms is not None and abs(self.clock_skew_ms) > CLOCK_OFF_MS


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    key_id: str
    is_enrolled: bool
    hostname: str
    version: str
    python: str
    platform: str
    first_seen_at: datetime
    retired_at: datetime | None
    last_seen_at: datetime | None
    silent_since: datetime | None
    seen: Seen
    probes: int = 0

    def state(self, now: datetime) -> AgentState:
        if self.retired_at is not None:
            return AgentState.RETIRED
        if self.silent_since is None and self.last_seen_at and is_recent(self.last_seen_at, now):
            return AgentState.ONLINE
        return AgentState.SILENT


class AgentBrief(msgspec.Struct, frozen=True):
    """As much of an agent as lists of other things show."""

    id: str
    name: str
    is_silent: bool


def is_recent(last_seen_at: datetime, now: datetime) -> bool:
    return now - last_seen_at < timedelta(seconds=SILENT_AFTER_S)


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """A token that was given out; the token itself is not kept."""

    id: str
    name: str | None
    created_at: datetime
    created_by: str
    expires_at: datetime
    uses_left: int
    uses: int


class WorkItem(msgspec.Struct, frozen=True, kw_only=True):
    """A probe as people may see it."""

    id: str
    kind: str
    target: str
    interval_s: float
    timeout_s: float


class Known(msgspec.Struct, frozen=True):
    """What must be known of an agent to take its records."""

    id: str
    name: str
    is_retired: bool
    facts: tuple[str, str, str, str]  # hostname, version, python, platform
