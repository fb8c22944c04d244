"""Schedules: what is made when."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from atalaia.jobs.tables import job_schedules as schedules
from atalaia.sdk.transaction import Tx


class ScheduleRow(NamedTuple):
    id: str
    name: str
    cron: str
    timezone: str
    type: str
    queue: str
    priority: int
    payload: str
    concurrency_key: str | None
    runs_missed: bool
    is_active: bool
    next_at: datetime | None
    last_at: datetime | None
    last_job_id: str | None
    created_at: datetime


_COLUMNS = [schedules.c[name] for name in ScheduleRow._fields]


def all_of_them(tx: Tx) -> list[ScheduleRow]:
    return [ScheduleRow._make(row) for row in tx.rows(select(*_COLUMNS).order_by(schedules.c.name))]


def find(tx: Tx, id: str) -> ScheduleRow | None:
    row = tx.one(select(*_COLUMNS).where(schedules.c.id == id))
    return None if row is None else ScheduleRow._make(row)


def is_named(tx: Tx, name: str, *, but_not: str) -> bool:
    return tx.one(select(schedules.c.id).where((schedules.c.name == name) & (schedules.c.id != but_not))) is not None


def put(tx: Tx, row: ScheduleRow) -> None:
    names = [name for name in ScheduleRow._fields if name not in {"id", "created_at"}]
    tx.upsert(schedules, [row._asdict()], key=["id"], update=names)


def drop(tx: Tx, id: str) -> bool:
    return tx.execute(schedules.delete().where(schedules.c.id == id)) > 0


def due(tx: Tx, now: datetime) -> Sequence[ScheduleRow]:
    """On PostgreSQL locked: of two hubs that both think they lead, one makes the job."""
    condition = schedules.c.is_active & (schedules.c.next_at <= now)
    question = select(*_COLUMNS).where(condition).order_by(schedules.c.next_at).limit(100)
    return [ScheduleRow._make(row) for row in tx.rows(question.with_for_update(skip_locked=True))]


def has_due(tx: Tx, now: datetime) -> bool:
    return (
        tx.one(select(schedules.c.id).where(schedules.c.is_active & (schedules.c.next_at <= now)).limit(1)) is not None
    )


def ran(tx: Tx, id: str, *, at: datetime | None, job_id: str | None, next_at: datetime) -> None:
    changed: dict[str, object] = {"next_at": next_at}
    if job_id is not None:
        changed |= {"last_at": at, "last_job_id": job_id}
    tx.execute(schedules.update().where(schedules.c.id == id).values(**changed))
