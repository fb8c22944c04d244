"""SQL on the audit log: rows are added, read, and dropped once they are too old; none is ever changed."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, or_, select

from atalaia.access.model import AuditEntry, AuditFilter
from atalaia.access.tables import audit
from atalaia.core.clock import to_ms
from atalaia.sdk.transaction import Tx


def add(tx: Tx, entry: AuditEntry) -> None:
    tx.execute(
        insert(audit).values(
            id=entry.id,
            at=entry.at,
            actor_kind=entry.actor_kind,
            actor_id=entry.actor_id,
            actor_name=entry.actor_name,
            action=entry.action,
            object=entry.object,
            before=entry.before,
            after=entry.after,
            address=entry.address,
        )
    )


def page(tx: Tx, filter_: AuditFilter, *, limit: int, before: str | None = None) -> list[AuditEntry]:
    """Newest first, from past `before` (an id)."""
    statement = _filtered(select(audit), filter_).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit.c.id < before)
    return [AuditEntry(**row._mapping) for row in tx.rows(statement)]  # noqa: SLF001 - SQLAlchemy's public name


_DROP_OLD = (
    "DELETE FROM audit WHERE id IN"
    " (SELECT id FROM (SELECT id, at FROM audit ORDER BY id LIMIT ?) AS oldest WHERE at < ?) RETURNING id"
)


def drop_old(tx: Tx, *, before: datetime, limit: int) -> int:
    """Of the `limit` oldest entries those from before an instant; how many are gone."""
    return len(tx.raw(_DROP_OLD, (limit, to_ms(before))))


def _filtered(statement: Select[Any], filter_: AuditFilter) -> Select[Any]:
    if filter_.actor:
        name_has = func.lower(audit.c.actor_name).contains(filter_.actor.lower(), autoescape=True)
        statement = statement.where(or_(audit.c.actor_id == filter_.actor, name_has))
    if filter_.action:
        begins = audit.c.action.startswith(filter_.action, autoescape=True)
        statement = statement.where(or_(begins, audit.c.action.in_(filter_.or_actions)))
    if filter_.object:
        statement = statement.where(audit.c.object.startswith(filter_.object, autoescape=True))
    if filter_.from_at is not None:
        statement = statement.where(audit.c.at >= filter_.from_at)
    if filter_.to_at is not None:
        statement = statement.where(audit.c.at < filter_.to_at)
    return statement
