"""Jobs that are made by the clock: at most one for each slot, by the leader.

The slot and its job are written in one transaction, so that a crash in between makes neither or both. Slots that passed
while nobody led run once together (`runs_missed`), or not at all.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from atalaia.access.audit import record
from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, Conflict, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import SYSTEM
from atalaia.core.translations import N_
from atalaia.jobs.model.cron import next_after
from atalaia.jobs.model.wire import JobIn, Key, Name
from atalaia.jobs.queries import schedules as queries
from atalaia.jobs.queries.schedules import ScheduleRow
from atalaia.jobs.service.control import Actor
from atalaia.jobs.service.creating import Creating, check_text, payload_text
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

LATE_S = 60.0  # a slot that is later than this was missed
TOPIC = "jobs.schedules"


class ScheduleIn(msgspec.Struct, frozen=True, kw_only=True):
    """`cron` has five fields, read in `timezone`."""

    name: Name
    cron: Annotated[str, Meta(min_length=1, max_length=200)]
    timezone: Annotated[str, Meta(max_length=100)] = "America/Sao_Paulo"
    type: Name
    payload: Raw
    queue: Name = "default"
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    concurrency_key: Key | None = None
    runs_missed: bool = False
    is_active: bool = True


class ScheduleOut(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str
    cron: str
    timezone: str
    type: str
    payload: Raw
    queue: str
    priority: int
    concurrency_key: str | None
    runs_missed: bool
    is_active: bool
    next_at: datetime | None
    last_at: datetime | None
    last_job_id: str | None


class Scheduling:
    def __init__(self, store: Store, creating: Creating, *, clock: Clock) -> None:
        self._store = store
        self._creating = creating
        self._clock = clock

    async def all(self) -> list[ScheduleOut]:
        return [_out(row) for row in await self._store.read(queries.all_of_them)]

    async def find(self, id: str) -> ScheduleOut:
        """Raises NotFound."""
        return _out(await self._store.read(lambda tx: _found(tx, id)))

    async def add(self, schedule: ScheduleIn, actor: Actor) -> ScheduleOut:
        """Raises InvalidField, Conflict, ConfigError."""
        row = self._row(schedule, new_id(), self._clock.now())
        return await self._store.write(lambda tx: self._put(tx, row, actor, "job_schedule.created"))

    async def change(self, id: str, schedule: ScheduleIn, actor: Actor) -> ScheduleOut:
        """Raises NotFound, InvalidField, Conflict, ConfigError."""
        fresh = self._row(schedule, id, self._clock.now())

        def write(tx: Tx) -> ScheduleOut:
            old = _found(tx, id)
            row = fresh._replace(created_at=old.created_at, last_at=old.last_at, last_job_id=old.last_job_id)
            return self._put(tx, row, actor, "job_schedule.changed")

        return await self._store.write(write)

    async def drop(self, id: str, actor: Actor) -> None:
        """Raises NotFound."""

        def write(tx: Tx) -> None:
            if not queries.drop(tx, id):
                raise _unknown()
            self._record(tx, actor, "job_schedule.dropped", id)

        await self._store.write(write)

    async def round(self) -> None:
        """Make what is due; the leader's loop."""
        now = self._clock.now()
        if await self._store.read(lambda tx: queries.has_due(tx, now)):
            await self._store.write(self._run_due)

    def _run_due(self, tx: Tx) -> None:
        now = self._clock.now()
        for row in queries.due(tx, now):
            slot = row.next_at or now
            is_missed = now - slot > timedelta(seconds=LATE_S)
            job_id = None if is_missed and not row.runs_missed else self._make(tx, row)
            queries.ran(tx, row.id, at=slot, job_id=job_id, next_at=next_after(row.cron, row.timezone, now))
            tx.publish(TOPIC, row.id)

    def _make(self, tx: Tx, row: ScheduleRow) -> str | None:
        job = JobIn(
            type=row.type,
            payload=Raw(row.payload.encode()),
            queue=row.queue,
            priority=row.priority,
            concurrency_key=row.concurrency_key,
        )
        try:
            spec = self._creating.spec_of(job)
        except AtalaiaError:  # its type takes another payload since an update: the next slots may be well again
            return None
        return self._creating.create_in(tx, [spec], requester=SYSTEM.id)[0].id

    def _row(self, schedule: ScheduleIn, id: str, now: datetime) -> ScheduleRow:
        check_text(
            name=schedule.name, type=schedule.type, queue=schedule.queue, concurrency_key=schedule.concurrency_key
        )
        job = JobIn(
            type=schedule.type, payload=schedule.payload, queue=schedule.queue, concurrency_key=schedule.concurrency_key
        )
        self._creating.spec_of(job)
        return ScheduleRow(
            id=id,
            name=schedule.name,
            cron=schedule.cron,
            timezone=schedule.timezone,
            type=schedule.type,
            queue=schedule.queue,
            priority=schedule.priority,
            payload=payload_text(bytes(schedule.payload)),
            concurrency_key=schedule.concurrency_key,
            runs_missed=schedule.runs_missed,
            is_active=schedule.is_active,
            next_at=next_after(schedule.cron, schedule.timezone, now),
            last_at=None,
            last_job_id=None,
            created_at=now,
        )

    def _put(self, tx: Tx, row: ScheduleRow, actor: Actor, action: str) -> ScheduleOut:
        if queries.is_named(tx, row.name, but_not=row.id):
            raise Conflict(N_("another schedule has this name"), code="name_taken")
        queries.put(tx, row)
        self._record(tx, actor, action, row.id)
        return _out(row)

    def _record(self, tx: Tx, actor: Actor, action: str, id: str) -> None:
        record(tx, actor.principal, action, f"job_schedule:{id}", address=actor.address, now=self._clock.now())
        tx.publish(TOPIC, id)


def _found(tx: Tx, id: str) -> ScheduleRow:
    row = queries.find(tx, id) if id.isprintable() else None
    if row is None:
        raise _unknown()
    return row


def _unknown() -> NotFound:
    return NotFound(N_("there is no such schedule"))


def _out(row: ScheduleRow) -> ScheduleOut:
    return ScheduleOut(
        id=row.id,
        name=row.name,
        cron=row.cron,
        timezone=row.timezone,
        type=row.type,
        payload=Raw(row.payload.encode()),
        queue=row.queue,
        priority=row.priority,
        concurrency_key=row.concurrency_key,
        runs_missed=row.runs_missed,
        is_active=row.is_active,
        next_at=row.next_at if row.is_active else None,
        last_at=row.last_at,
        last_job_id=row.last_job_id,
    )
