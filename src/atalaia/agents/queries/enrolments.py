"""SQL on enrolment tokens."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.engine import Row

from atalaia.agents.model.agents import Enrolment
from atalaia.agents.tables import agent_enrolments
from atalaia.sdk.transaction import Tx


def _enrolment(row: Row[Any]) -> Enrolment:
    return Enrolment(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        uses_left=row.uses_left,
        uses=row.uses,
    )


def add(tx: Tx, enrolment: Enrolment, *, sha256: bytes) -> None:
    values = {name: getattr(enrolment, name) for name in enrolment.__struct_fields__}
    tx.execute(insert(agent_enrolments).values(**values, sha256=sha256))


def use(tx: Tx, sha256: bytes, *, now: datetime) -> Enrolment | None:
    """Take one of its uses; None where it is unknown, over or used up."""
    is_good = (
        (agent_enrolments.c.sha256 == sha256)
        & (agent_enrolments.c.expires_at > now)
        & (agent_enrolments.c.uses_left > 0)
    )
    counted = {"uses_left": agent_enrolments.c.uses_left - 1, "uses": agent_enrolments.c.uses + 1}
    if tx.execute(update(agent_enrolments).where(is_good).values(**counted)) != 1:
        return None
    row = tx.one(select(agent_enrolments).where(agent_enrolments.c.sha256 == sha256))
    return _enrolment(row) if row else None


def in_force(tx: Tx, *, now: datetime) -> list[Enrolment]:
    is_good = (agent_enrolments.c.expires_at > now) & (agent_enrolments.c.uses_left > 0)
    return [_enrolment(row) for row in tx.rows(select(agent_enrolments).where(is_good).order_by(agent_enrolments.c.id))]


def remove(tx: Tx, enrolment_id: str) -> bool:
    return tx.execute(delete(agent_enrolments).where(agent_enrolments.c.id == enrolment_id)) == 1


def drop_old(tx: Tx, *, expired_before: datetime) -> int:
    return tx.execute(delete(agent_enrolments).where(agent_enrolments.c.expires_at < expired_before))
