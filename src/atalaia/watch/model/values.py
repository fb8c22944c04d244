"""Values that pass between the rooms of this slice."""

from datetime import datetime
from typing import Any

import msgspec

from atalaia.notify.model.severity import Severity
from atalaia.watch.model.checks import CheckKind, CheckSpec
from atalaia.watch.model.incidents import Cause, IncidentState
from atalaia.watch.model.options import Threshold, thresholds_of
from atalaia.watch.model.standing import Policy
from atalaia.watch.model.states import CheckState


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What deciding needs to know of a check; good for one `revision`."""

    id: str
    revision: int
    name: str
    kind: CheckKind
    policy: Policy
    severity: Severity
    labels: dict[str, str]
    runbook: str = ""
    thresholds: tuple[Threshold, ...] = ()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that measures a check; `is_picked` by the hub, which may pick another."""

    agent_id: str
    is_picked: bool = False


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A check as it is kept, and how it stands. `spec` has no secrets; its `agents` are ids, without the picked one."""

    id: str
    spec: CheckSpec
    places: tuple[Place, ...]
    has_secrets: bool
    is_paused: bool
    revision: int
    created_at: datetime
    updated_at: datetime
    state: CheckState
    since_at: datetime
    last_at: datetime | None = None
    last_ms: float | None = None
    last_error: str | None = None
    results: int = 0
    deadline_at: datetime | None = None
    ping_id: str | None = None

    @property
    def watched(self) -> Watched:
        return Watched(
            id=self.id,
            revision=self.revision,
            name=self.spec.name,
            kind=self.spec.kind,
            policy=self.spec.policy(places=tuple(place.agent_id for place in self.places)),
            severity=self.spec.severity,
            labels=self.spec.labels,
            runbook=self.spec.runbook,
            thresholds=thresholds_of(self.spec.options),
        )


class Span(msgspec.Struct, frozen=True):
    """A time in one state; open: `ended_at` is None."""

    state: CheckState
    started_at: datetime
    ended_at: datetime | None = None


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    subject: str
    check_id: str | None
    title: str
    cause: Cause
    severity: Severity
    state: IncidentState
    opened_at: datetime
    reason: str | None = None
    labels: dict[str, str] = {}
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    resolved_at: datetime | None = None


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Of an incident (`who` did it) or of a check."""

    id: str
    at: datetime
    kind: str
    who: str | None = None
    data: dict[str, Any] = {}


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """A ping of a heartbeat that said something; see tables.check_pings."""

    id: str
    check_id: str
    at: datetime
    kind: str
    exit_status: int | None = None
    run: str | None = None
    took_ms: float | None = None
    source: str | None = None
    user_agent: str | None = None
    body: bytes | None = None

    @property
    def text(self) -> str:
        return (self.body or b"").decode("utf-8", "replace")


class CheckFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What a list of checks is narrowed by; None: not by this."""

    state: CheckState | None = None
    kind: CheckKind | None = None
    agent_id: str | None = None
    text: str | None = None
    label: tuple[str, str] | None = None


class IncidentFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`is_open`: open or acknowledged."""

    state: IncidentState | None = None
    is_open: bool | None = None
    severity: Severity | None = None
    check_id: str | None = None
    text: str | None = None
