"""Opening and ending incidents, inside the transaction of what caused it; every step on the timeline, and told."""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from atalaia.core.clock import from_ms
from atalaia.core.errors import NotFound
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.notify.model.notice import CheckBrief, IncidentBrief, IncidentNotice, NoticeKind
from atalaia.notify.model.severity import Severity
from atalaia.sdk.transaction import Tx
from atalaia.watch.model.incidents import Action, Cause, IncidentState, Step, after_action, severity_of, steps_for
from atalaia.watch.model.reasons import shown_reason
from atalaia.watch.model.standing import Transition
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.titles import english_title, title_parts
from atalaia.watch.model.values import Incident, Watched
from atalaia.watch.ports import Tell
from atalaia.watch.queries import checks
from atalaia.watch.queries import incidents as queries

TOPIC = "incidents"


_SILENT_STATES = frozenset({CheckState.UNKNOWN, CheckState.MAINTENANCE})


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with something that is no check: `subject` is `agent:<id>`, `hub:<name>` or `integration:<name>:<key>`.

    `name` goes into the title; `except_channels` are known not to work.
    """

    subject: str
    name: str
    cause: Cause = Cause.FAULT
    severity: Severity = Severity.CRITICAL
    reason: str | None = None
    labels: dict[str, str] = {}
    except_channels: frozenset[str] = frozenset()
    runbook: str = ""


class _Context(msgspec.Struct, frozen=True):
    """What a message says besides the incident."""

    check: CheckBrief | None = None
    runbook: str = ""
    except_channels: frozenset[str] = frozenset()


class Incidents:
    def __init__(self, *, tell: Tell) -> None:
        self._tell = tell

    # -- of checks

    def follow(self, tx: Tx, check: Watched, change: Transition) -> None:
        """What a change of a check's state means for its incident."""
        if change.after in _SILENT_STATES or (change.was_settled is None and change.after is CheckState.UP):
            return  # nothing is open that it could end: not asked, since a new fleet has thousands of these
        current = queries.find_open(tx, f"check:{check.id}")
        context = _Context(check=_brief(check, str(change.after)), runbook=check.runbook)
        at = from_ms(change.at_ms)
        for step in steps_for(current.cause if current else None, change):
            if step in {Step.OPEN_DOWN, Step.OPEN_DEGRADED}:
                cause = Cause.DOWN if step is Step.OPEN_DOWN else Cause.DEGRADED
                self._open(tx, _of_check(check, cause, at=at, reason=change.reason), context)
            elif current is not None:
                self._end(tx, current, step, context, at=at)

    def drop_check(self, tx: Tx, check: Watched, *, at: datetime, by: str) -> None:
        """The check is being removed; its incident ends with it."""
        current = queries.find_open(tx, f"check:{check.id}")
        if current is not None:
            queries.add_event(tx, current.id, "check_removed", at=at, who=by)
            self._end(tx, current, Step.CLOSE, _Context(check=_brief(check, "removed")), at=at, who=by)

    # -- of other things: agents, the hub itself

    def open_fault(self, tx: Tx, fault: Fault, *, at: datetime) -> None:
        """Open an incident of something that is no check, unless it is open."""
        if queries.find_open(tx, fault.subject) is not None:
            return
        fresh = Incident(
            id=new_id(),
            subject=fault.subject,
            check_id=None,
            title=fault.name,
            cause=fault.cause,
            severity=fault.severity,
            state=IncidentState.OPEN,
            opened_at=at,
            reason=fault.reason,
            labels=fault.labels,
        )
        self._open(tx, fresh, _Context(runbook=fault.runbook, except_channels=fault.except_channels))

    def end_fault(self, tx: Tx, subject: str, *, at: datetime) -> None:
        current = queries.find_open(tx, subject)
        if current is not None:
            self._end(tx, current, Step.RECOVER, _Context(), at=at)

    def note(self, tx: Tx, incident_id: str, kind: str, *, at: datetime, data: dict[str, Any]) -> None:
        """Put something on the timeline, if there is such an incident."""
        if queries.find(tx, incident_id) is not None:
            queries.add_event(tx, incident_id, kind, at=at, data=data)
            tx.publish(TOPIC, incident_id)

    # -- by people

    def acknowledge(self, tx: Tx, incident_id: str, *, by: str, now: datetime) -> Incident:
        incident = self._found(tx, incident_id)
        if incident.state is IncidentState.ACKNOWLEDGED:
            return incident
        after_action(incident.state, Action.ACKNOWLEDGE)
        queries.acknowledge(tx, incident_id, by=by, now=now)
        queries.add_event(tx, incident_id, "acknowledged", at=now, who=by)
        self._notify(
            tx, NoticeKind.ACKNOWLEDGED, replace(incident, state=IncidentState.ACKNOWLEDGED), _Context(), at=now
        )
        tx.publish(TOPIC, incident_id)
        return self._found(tx, incident_id)

    def comment(self, tx: Tx, incident_id: str, *, by: str, text: str, now: datetime) -> Incident:
        incident = self._found(tx, incident_id)
        after_action(incident.state, Action.COMMENT)
        queries.add_event(tx, incident_id, "comment", at=now, who=by, data={"text": text})
        tx.publish(TOPIC, incident_id)
        return incident

    def close(self, tx: Tx, incident_id: str, *, by: str, now: datetime) -> Incident:
        incident = self._found(tx, incident_id)
        after_action(incident.state, Action.CLOSE)
        check = checks.find(tx, incident.check_id) if incident.check_id else None
        context = _Context(check=_brief(check.watched, str(check.state)) if check else None)
        self._end(tx, incident, Step.CLOSE, context, at=now, who=by)
        return self._found(tx, incident_id)

    # -- inside

    def _found(self, tx: Tx, incident_id: str) -> Incident:
        incident = queries.find(tx, incident_id, is_locked=True)
        if incident is None:
            raise NotFound(N_("there is no such incident"))
        return incident

    def _open(self, tx: Tx, incident: Incident, context: _Context) -> None:
        titled = replace(incident, title=english_title(incident.cause, incident.title))
        queries.add(tx, titled)
        queries.add_event(tx, titled.id, "opened", at=titled.opened_at, data={"reason": titled.reason})
        self._notify(tx, NoticeKind.OPENED, titled, context, at=titled.opened_at)
        tx.publish(TOPIC, titled.id)

    def _end(
        self, tx: Tx, incident: Incident, step: Step, context: _Context, *, at: datetime, who: str | None = None
    ) -> None:
        at = max(at, incident.opened_at)
        queries.resolve(tx, incident.id, at=at)
        kind = {Step.RECOVER: "recovered", Step.SUPERSEDE: "superseded"}.get(step, "closed")
        queries.add_event(tx, incident.id, kind, at=at, who=who)
        # A superseded one ends its repeats without a word: the next one tells more.
        notice = NoticeKind.ACKNOWLEDGED if step is Step.SUPERSEDE else NoticeKind.RECOVERED
        self._notify(tx, notice, replace(incident, state=IncidentState.RESOLVED), context, at=at)
        tx.publish(TOPIC, incident.id)

    def _notify(self, tx: Tx, kind: NoticeKind, incident: Incident, context: _Context, *, at: datetime) -> None:
        key, name = title_parts(incident)
        why = shown_reason(incident.reason, str)
        brief = IncidentBrief(
            id=incident.id,
            title=incident.title,
            title_key=key,
            title_name=name,
            severity=incident.severity,
            state=str(incident.state),
            opened_at=incident.opened_at,
            reason=incident.reason or "",
            why=why.words,
            why_detail=why.detail,
            runbook=context.runbook,
        )
        notice = IncidentNotice(
            kind=kind,
            incident=brief,
            check=context.check,
            labels=incident.labels,
            except_channels=context.except_channels,
        )
        told = self._tell(tx, notice)
        if told.channels:
            queries.add_event(tx, incident.id, "told", at=at, data={"channels": list(told.channels)})
        elif told.is_nobody:
            queries.add_event(tx, incident.id, "nobody_told", at=at)


def _brief(check: Watched, state: str) -> CheckBrief:
    return CheckBrief(id=check.id, name=check.name, state=state, labels=check.labels)


def _of_check(check: Watched, cause: Cause, *, at: datetime, reason: str | None) -> Incident:
    return Incident(
        id=new_id(),
        subject=f"check:{check.id}",
        check_id=check.id,
        title=check.name,
        cause=cause,
        severity=severity_of(cause, check.severity),
        state=IncidentState.OPEN,
        opened_at=at,
        reason=reason,
        labels=check.labels,
    )
