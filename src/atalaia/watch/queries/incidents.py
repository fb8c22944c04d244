"""SQL on incidents and their timelines."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.engine import Row

from atalaia.core.ids import new_id
from atalaia.notify.model.severity import Severity
from atalaia.sdk.transaction import Tx
from atalaia.watch.model.incidents import Cause, IncidentState
from atalaia.watch.model.values import Incident, IncidentFilter, TimelineEvent
from atalaia.watch.tables import incident_events, incidents


def _incident(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        subject=row.subject,
        check_id=row.check_id,
        title=row.title,
        cause=Cause(row.cause),
        severity=Severity(row.severity),
        state=IncidentState(row.state),
        opened_at=row.opened_at,
        reason=row.reason,
        labels=row.labels,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
        resolved_at=row.resolved_at,
    )


def add(tx: Tx, incident: Incident) -> None:
    row = {
        "id": incident.id,
        "subject": incident.subject,
        "open_subject": incident.subject,
        "check_id": incident.check_id,
        "title": incident.title,
        "cause": str(incident.cause),
        "reason": incident.reason,
        "severity": str(incident.severity),
        "state": str(incident.state),
        "labels": incident.labels,
        "opened_at": incident.opened_at,
    }
    tx.execute(insert(incidents).values(row))


def find(tx: Tx, incident_id: str, *, is_locked: bool = False) -> Incident | None:
    statement = select(incidents).where(incidents.c.id == incident_id)
    row = tx.one(statement.with_for_update() if is_locked else statement)
    return _incident(row) if row else None


def find_open(tx: Tx, subject: str) -> Incident | None:
    row = tx.one(select(incidents).where(incidents.c.open_subject == subject).with_for_update())
    return _incident(row) if row else None


def acknowledge(tx: Tx, incident_id: str, *, by: str, now: datetime) -> None:
    values = {"state": str(IncidentState.ACKNOWLEDGED), "acknowledged_at": now, "acknowledged_by": by}
    tx.execute(update(incidents).where(incidents.c.id == incident_id).values(values))


def resolve(tx: Tx, incident_id: str, *, at: datetime) -> None:
    values = {"state": str(IncidentState.RESOLVED), "resolved_at": at, "open_subject": None}
    tx.execute(update(incidents).where(incidents.c.id == incident_id).values(values))


def add_event(
    tx: Tx, incident_id: str, kind: str, *, at: datetime, who: str | None = None, data: dict[str, Any] | None = None
) -> None:
    row = {"id": new_id(), "incident_id": incident_id, "at": at, "kind": kind, "who": who, "data": data or {}}
    tx.execute(insert(incident_events).values(row))


def events(tx: Tx, incident_id: str) -> list[TimelineEvent]:
    """Oldest first."""
    statement = (
        select(incident_events).where(incident_events.c.incident_id == incident_id).order_by(incident_events.c.id)
    )
    return [
        TimelineEvent(id=row.id, at=row.at, kind=row.kind, who=row.who, data=row.data) for row in tx.rows(statement)
    ]


def _conditions(wanted: IncidentFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.state is not None:
        found.append(incidents.c.state == str(wanted.state))
    if wanted.is_open is not None:
        column = incidents.c.open_subject
        found.append(column.is_not(None) if wanted.is_open else column.is_(None))
    if wanted.severity is not None:
        found.append(incidents.c.severity == str(wanted.severity))
    if wanted.check_id is not None:
        found.append(incidents.c.check_id == wanted.check_id)
    if wanted.text:
        found.append(func.lower(incidents.c.title).contains(wanted.text.lower(), autoescape=True))
    return found


def page(tx: Tx, *, wanted: IncidentFilter, limit: int, after: str | None = None) -> list[Incident]:
    """Newest first; one more than `limit`."""
    statement = select(incidents).where(*_conditions(wanted)).order_by(incidents.c.id.desc()).limit(limit + 1)
    if after is not None:
        statement = statement.where(incidents.c.id < after)
    return [_incident(row) for row in tx.rows(statement)]


def count_open(tx: Tx) -> int:
    statement = select(func.count()).select_from(incidents).where(incidents.c.open_subject.is_not(None))
    return int(tx.value(statement))
