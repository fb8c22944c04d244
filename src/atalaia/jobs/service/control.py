"""What people do to jobs: cancel, start again, one by one or in bulk; and what time does: old ones go."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import msgspec

from atalaia.access.audit import record
from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import Conflict, NotFound
from atalaia.core.permissions import Principal
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.jobs.model.machine import Word
from atalaia.jobs.model.states import HELD, STATUS, State, state_of
from atalaia.jobs.model.views import JobRef
from atalaia.jobs.queries import control as queries
from atalaia.jobs.queries import creating as creating_queries
from atalaia.jobs.queries import holding as holding_queries
from atalaia.jobs.queries import reading as reading_queries
from atalaia.jobs.queries.control import Startable
from atalaia.jobs.service.effects import Effects, Listeners
from atalaia.jobs.service.starts import Place
from atalaia.jobs.service.transitions import Said, Transitions
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

MAX_BULK = 1_000
_STEP_ROWS = 500
_MAX_STEPS = 200


class Actor(NamedTuple):
    principal: Principal
    address: str | None = None


class BulkWish(NamedTuple):
    """Which ended jobs to start again: these, or by state, type, queue and age."""

    ids: Sequence[str] = ()
    states: Sequence[State] = (State.DEAD,)
    type: str | None = None
    queue: str | None = None
    created_from: datetime | None = None
    limit: int = MAX_BULK


class Restarted(NamedTuple):
    """`skipped`: ended no more, or another one has their unique key."""

    ids: list[str]
    skipped: int


class Control:
    def __init__(
        self, store: Store, transitions: Transitions, listeners: Listeners, *, clock: Clock, settings: Settings
    ) -> None:
        self._store = store
        self._transitions = transitions
        self._listeners = listeners
        self._clock = clock
        self._settings = settings
        self._swept_to = 0

    async def cancel(self, id: str, actor: Actor) -> JobRef:
        """A waiting one ends at once; the worker of a running one is told at its next renewal. Raises NotFound, Conflict."""
        return await self._store.write(lambda tx: self._cancel(tx, id, actor))

    def _cancel(self, tx: Tx, id: str, actor: Actor) -> JobRef:
        seq = reading_queries.seq_of(tx, id)
        if seq is None:
            raise unknown_job()
        row = holding_queries.queued(tx, [seq]).get(seq)
        if row is None:
            raise Conflict(N_("this job has ended already"), code="job_ended")
        effects = Effects(tx, self._listeners, now_ms=to_ms(self._clock.now()))
        if row.place == HELD:
            holding_queries.ask_to_cancel(tx, seq)
            state = state_of(row.place, row.phase, is_resolve=bool(row.is_resolve))
            effects.changed(id)
        else:
            state = self._transitions.move(tx, effects, [(row, Said(Word.ASKED))])[seq]
        effects.settle()
        self._record(tx, actor, "job.cancelled", id)
        return JobRef(id, str(STATUS[state]), str(state))

    async def retry(self, id: str, actor: Actor) -> JobRef:
        """Start an ended one again, as a new attempt. Raises NotFound, Conflict."""
        return await self._store.write(lambda tx: self._retry(tx, id, actor))

    def _retry(self, tx: Tx, id: str, actor: Actor) -> JobRef:
        seq = reading_queries.seq_of(tx, id)
        if seq is None:
            raise unknown_job()
        found = queries.startable(tx, [seq])
        if not found:
            raise Conflict(N_("this job has not ended"), code="job_not_ended", hint=N_("Cancel it first, or wait."))
        if not self._restore(tx, found):
            raise Conflict(N_("another job with the same unique key has not ended"), code="unique_key_taken")
        self._record(tx, actor, "job.restarted", id)
        return JobRef(id, str(STATUS[State.WAITING]), str(State.WAITING))

    async def confirm(self, id: str, actor: Actor) -> JobRef:
        """A person has looked, and it was done: an unknown outcome becomes a success. Raises NotFound, Conflict."""
        return await self._store.write(lambda tx: self._confirm(tx, id, actor))

    def _confirm(self, tx: Tx, id: str, actor: Actor) -> JobRef:
        seq = reading_queries.seq_of(tx, id)
        if seq is None:
            raise unknown_job()
        result = msgspec.json.encode({"confirmedBy": actor.principal.name}).decode()
        if not queries.confirm(tx, seq, result=result):
            raise Conflict(N_("the outcome of this job is not unknown"), code="outcome_known")
        effects = Effects(tx, self._listeners, now_ms=to_ms(self._clock.now()))
        effects.changed(id)
        effects.settle()
        self._record(tx, actor, "job.confirmed", id)
        return JobRef(id, str(STATUS[State.SUCCEEDED]), str(State.SUCCEEDED))

    async def retry_many(self, wish: BulkWish, actor: Actor) -> Restarted:
        return await self._store.write(lambda tx: self._retry_many(tx, wish, actor))

    def _retry_many(self, tx: Tx, wish: BulkWish, actor: Actor) -> Restarted:
        if wish.ids:
            found = [seq for seq in (reading_queries.seq_of(tx, id_) for id_ in wish.ids) if seq is not None]
            seqs, asked = found, len(wish.ids)
        else:
            since = 0 if wish.created_from is None else to_ms(wish.created_from)
            lanes = lanes_of(self._listeners, type=wish.type, queue=wish.queue)
            seqs = queries.ended_in(tx, wish.states, lanes=lanes, created_from_ms=since, limit=wish.limit)
            asked = len(seqs)
        restored = self._restore(tx, queries.startable(tx, seqs)) if seqs else []
        if restored:
            self._record(tx, actor, "jobs.restarted", f"{len(restored)}")
        return Restarted([job.id for job in restored], asked - len(restored))

    def _restore(self, tx: Tx, found: Sequence[Startable]) -> list[Startable]:
        keys = [job.unique_key for job in found if job.unique_key is not None]
        fronts = [f"front:{job.concurrency_key}" for job in found if job.concurrency_key is not None]
        creating_queries.lock_keys(tx, [*(f"unique:{key}" for key in keys), *fronts])
        taken = set(creating_queries.unfinished_by_key(tx, keys))
        effects = Effects(tx, self._listeners, now_ms=to_ms(self._clock.now()))
        restored = []
        for job in found:
            if job.unique_key is not None:
                if job.unique_key in taken:
                    continue
                taken.add(job.unique_key)
            queries.restore(tx, job, now_ms=effects.now_ms)
            restored.append(job)
            effects.changed(job.id)
            effects.counted(self._listeners.lanes.known(tx, job.lane).type, "restarted")
            if job.concurrency_key is None:
                effects.waits(job.lane, Place(-job.priority, effects.now_ms, job.seq))
            else:
                effects.keys.add(job.concurrency_key)
        effects.settle()
        return restored

    def _record(self, tx: Tx, actor: Actor, action: str, id: str) -> None:
        record(tx, actor.principal, action, f"job:{id}", address=actor.address, now=self._clock.now())

    async def clear_away(self) -> None:
        """Drop ended jobs that are older than the setting says, and kept answers, in small steps; a loop calls it."""
        now = self._clock.now()
        before_ms = to_ms(now - timedelta(days=self._settings.get("jobs.ended_days")))
        requests_before_ms = to_ms(now - timedelta(hours=self._settings.get("jobs.idempotency_hours")))
        for _ in range(_MAX_STEPS):
            gone = await self._store.write(
                lambda tx: queries.drop_requests(tx, before_ms=requests_before_ms, limit=_STEP_ROWS)
            )
            if gone < _STEP_ROWS:
                break
        for _ in range(_MAX_STEPS):
            rows = await self._store.read(partial(queries.oldest_after, seq=self._swept_to, limit=_STEP_ROWS))
            old = [row for row in rows if row.created_ms < before_ms]
            drop = [row.seq for row in old if row.ended_ms is not None and row.ended_ms < before_ms]
            if drop:
                await self._store.write(partial(queries.drop, seqs=drop))
            if len(old) < _STEP_ROWS:
                self._swept_to = 0  # from the start again: some of the old ones may have ended since
                break
            self._swept_to = old[-1].seq


def unknown_job() -> NotFound:
    return NotFound(N_("there is no such job"), hint=N_("Ended jobs are dropped after some time."))


def lanes_of(listeners: Listeners, *, type: str | None, queue: str | None) -> list[int] | None:
    """None: all of them."""
    if type is None and queue is None:
        return None
    lanes = listeners.lanes
    return [
        lane.id
        for lane in lanes.all()
        if (type is None or lane.type == type) and (queue is None or lane.queue == queue) and not lane.is_resolve
    ]
