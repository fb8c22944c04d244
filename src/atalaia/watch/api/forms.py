"""What the JSON API takes and gives."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from atalaia.agents.model.wire import Result as WireResult
from atalaia.notify.model.severity import Severity
from atalaia.watch.edges import ping_url
from atalaia.watch.model.checks import CheckKind
from atalaia.watch.model.incidents import Cause, IncidentState
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import Check, Incident, TimelineEvent
from atalaia.watch.ports import AgentRef

Text = Annotated[str, Meta(max_length=20_000)]


class CheckPatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Only what is there changes; null sets a field back to its default. `secrets`: each name by itself, null takes it away."""

    name: str | UnsetType = UNSET
    kind: CheckKind | UnsetType = UNSET
    target: str | UnsetType = UNSET
    interval_s: float | UnsetType | None = UNSET
    timeout_s: float | UnsetType | None = UNSET
    failures_to_down: int | UnsetType | None = UNSET
    failures_window: int | UnsetType | None = UNSET
    successes_to_up: int | UnsetType | None = UNSET
    degraded_ms: float | UnsetType | None = UNSET
    quorum: int | UnsetType | None = UNSET
    flap_changes: int | UnsetType | None = UNSET
    agents: list[str] | UnsetType | None = UNSET
    labels: dict[str, str] | UnsetType | None = UNSET
    options: dict[str, Any] | UnsetType | None = UNSET
    secrets: dict[str, str | None] | UnsetType = UNSET
    period_s: float | UnsetType = UNSET
    grace_s: float | UnsetType | None = UNSET
    severity: Severity | UnsetType | None = UNSET
    runbook: str | UnsetType | None = UNSET
    paused: bool | UnsetType = UNSET

    def changes(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in found.items() if value is not UNSET}


class PlaceOut(msgspec.Struct):
    """`is_picked`: the hub chose this agent, and may choose another."""

    agent_id: str
    agent: str
    is_picked: bool


class CheckOut(msgspec.Struct, kw_only=True):
    """`agents`: names of those that were asked for; `places`: who measures it at present."""

    id: str
    name: str
    kind: CheckKind
    target: str
    state: CheckState
    since_at: datetime
    interval_s: float
    timeout_s: float
    failures_to_down: int
    failures_window: int
    successes_to_up: int
    degraded_ms: float | None
    quorum: int | None
    flap_changes: int
    agents: list[str]
    places: list[PlaceOut]
    labels: dict[str, str]
    options: dict[str, Any]
    has_secrets: bool
    severity: Severity
    runbook: str
    paused: bool
    period_s: float | None
    grace_s: float | None
    ping_url: str | None
    deadline_at: datetime | None
    last_at: datetime | None
    last_ms: float | None
    last_error: str | None
    results: int
    created_at: datetime
    updated_at: datetime


def check_out(check: Check, agents: dict[str, AgentRef], *, public_url: str) -> CheckOut:
    spec, policy = check.spec, check.watched.policy
    return CheckOut(
        id=check.id,
        name=spec.name,
        kind=spec.kind,
        target=spec.target,
        state=check.state,
        since_at=check.since_at,
        interval_s=spec.interval_s,
        timeout_s=spec.timeout_s,
        failures_to_down=policy.failures_to_down,
        failures_window=policy.failures_window,
        successes_to_up=policy.successes_to_up,
        degraded_ms=spec.degraded_ms,
        quorum=spec.quorum,
        flap_changes=policy.flap_changes,
        agents=[_name(agents, agent_id) for agent_id in spec.agents],
        places=[PlaceOut(place.agent_id, _name(agents, place.agent_id), place.is_picked) for place in check.places],
        labels=spec.labels,
        options=spec.options,
        has_secrets=check.has_secrets,
        severity=spec.severity,
        runbook=spec.runbook,
        paused=check.is_paused,
        period_s=spec.period_s,
        grace_s=spec.grace_s,
        ping_url=ping_url(public_url, check),
        deadline_at=check.deadline_at,
        last_at=check.last_at,
        last_ms=check.last_ms,
        last_error=check.last_error,
        results=check.results,
        created_at=check.created_at,
        updated_at=check.updated_at,
    )


def _name(agents: dict[str, AgentRef], agent_id: str) -> str:
    return agents[agent_id].name if agent_id in agents else agent_id


class EventOut(msgspec.Struct):
    id: str
    at: datetime
    kind: str
    who: str | None
    data: dict[str, Any]


def event_out(event: TimelineEvent) -> EventOut:
    return EventOut(event.id, event.at, event.kind, event.who, event.data)


class IncidentOut(msgspec.Struct, kw_only=True):
    """`subject`: `check:<id>`, `agent:<id>` or `hub:<name>`."""

    id: str
    title: str
    state: IncidentState
    severity: Severity
    cause: Cause
    reason: str | None
    subject: str
    check_id: str | None
    labels: dict[str, str]
    opened_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    resolved_at: datetime | None
    url: str


class IncidentWithTimeline(IncidentOut, kw_only=True):
    timeline: list[EventOut]


def incident_out(incident: Incident, *, public_url: str) -> IncidentOut:
    return IncidentOut(**_incident_fields(incident, public_url))


def incident_with_timeline(incident: Incident, events: list[TimelineEvent], *, public_url: str) -> IncidentWithTimeline:
    timeline = [event_out(event) for event in events]
    return IncidentWithTimeline(**_incident_fields(incident, public_url), timeline=timeline)


def _incident_fields(incident: Incident, public_url: str) -> dict[str, Any]:
    fields = {name: getattr(incident, name) for name in IncidentOut.__struct_fields__ if name != "url"}
    return fields | {"url": incident_url(public_url, incident.id)}


def incident_url(public_url: str, incident_id: str) -> str:
    return f"{public_url}/incidents/{incident_id}"


class CommentIn(msgspec.Struct, forbid_unknown_fields=True):
    text: Text


class TryOut(msgspec.Struct, kw_only=True):
    """One measurement that was made for this answer; it counts for nothing else."""

    ok: bool
    degraded: bool = False
    outcome: str
    error: str | None = None
    message: str | None = None
    ms: float | None = None
    phases: dict[str, float | None] = {}
    data: dict[str, Any] = {}


def try_out(result: WireResult) -> TryOut:
    return TryOut(
        ok=result.ok,
        degraded=result.degraded,
        outcome=result.outcome,
        error=result.error,
        message=result.message,
        ms=result.ms,
        phases=result.phases or {},
        data=result.data or {},
    )
