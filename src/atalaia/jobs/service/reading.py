"""Jobs as they are shown."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
from msgspec import Raw

from atalaia.core.clock import from_ms, to_ms
from atalaia.jobs.model.states import BEHIND, ENDS, HELD, STATUS, State, state_of
from atalaia.jobs.model.views import (
    JobDetail,
    JobFilter,
    JobLine,
    JobOut,
    Part,
    StepDetail,
    StepOut,
    raw_or_none,
    trouble_of,
)
from atalaia.jobs.queries import reading as queries
from atalaia.jobs.queries import steps as step_queries
from atalaia.jobs.queries.reading import JobRow, Wish
from atalaia.jobs.queries.steps import StepRow
from atalaia.jobs.service.control import lanes_of, unknown_job
from atalaia.jobs.service.effects import Listeners
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

MAX_STEPS_SHOWN = 2_000
MAX_TALLIED = 10_000


class Reading:
    def __init__(self, store: Store, listeners: Listeners) -> None:
        self._store = store
        self._listeners = listeners

    async def job(self, id: str) -> JobOut:
        """Raises NotFound."""
        return await self._store.read(lambda tx: self.job_in(tx, id))

    async def jobs(
        self, wanted: JobFilter, *, limit: int, before: int | None = None
    ) -> tuple[list[JobLine], int | None]:
        """Newest first, and the number after which the next page begins, if there is one."""
        rows = await self._store.read(lambda tx: self._page(tx, wanted, limit=limit + 1, before=before))
        lines = [line for _, line in rows[:limit]]
        return lines, rows[limit - 1][0] if len(rows) > limit else None

    async def worst_first(
        self, wanted: JobFilter, *, limit: int, after: tuple[int, int] | None = None
    ) -> tuple[list[JobLine], tuple[int, int] | None]:
        """What a person has to decide before all else, newest first in both parts; `after` is (part, number)."""
        return await self._store.read(lambda tx: self._worst_first(tx, wanted, limit=limit, after=after))

    def _worst_first(
        self, tx: Tx, wanted: JobFilter, *, limit: int, after: tuple[int, int] | None
    ) -> tuple[list[JobLine], tuple[int, int] | None]:
        found: list[tuple[tuple[int, int], JobLine]] = []
        first, before = after or (0, None)
        for number, part in enumerate(Part):
            if number < first:
                continue
            some = self._page(
                tx,
                replace(wanted, status=part),
                limit=limit + 1 - len(found),
                before=before if number == first else None,
            )
            found += [((number, seq), line) for seq, line in some]
        lines = [line for _, line in found[:limit]]
        return lines, found[limit - 1][0] if len(found) > limit else None

    async def tally(self) -> dict[State, int]:
        """How many jobs there are in each state; beyond MAX_TALLIED nobody counts."""
        return await self._store.read(_tally)

    async def lanes(self) -> tuple[list[str], list[str]]:
        """Types and queues that there have been, by name."""
        await self._store.read(self._listeners.lanes.refresh)
        lanes = self._listeners.lanes.all()
        return sorted({lane.type for lane in lanes}), sorted({lane.queue for lane in lanes})

    async def detail(self, id: str) -> JobDetail:
        """Raises NotFound."""
        return await self._store.read(lambda tx: self._detail(tx, id))

    def _detail(self, tx: Tx, id: str) -> JobDetail:
        job = self.job_in(tx, id)
        found = queries.whole(tx, id)
        if found is None:
            raise unknown_job()
        row = found.row
        is_behind = row.q_place == BEHIND and row.concurrency_key is not None
        resolve_by_ms = queries.resolve_by_ms(tx, row.seq) if row.q_is_resolve else None
        return JobDetail(
            job=job,
            steps=[_step_detail(step) for step in step_queries.of(tx, [row.seq])[-MAX_STEPS_SHOWN:]],
            front_id=queries.front_of(tx, row.concurrency_key or "") if is_behind else None,
            resolve_by=from_ms(resolve_by_ms) if resolve_by_ms else None,
        )

    def job_in(self, tx: Tx, id: str) -> JobOut:
        found = queries.whole(tx, id) if id.isprintable() else None
        if found is None:
            raise unknown_job()
        row = found.row
        lane = self._listeners.lanes.known(tx, row.lane)
        state = state_of_row(row)
        return JobOut(
            id=row.id,
            type=lane.type,
            status=STATUS[state],
            payload=Raw(found.payload.encode()),
            result=raw_or_none(found.result),
            steps=steps_out(step_queries.of(tx, [row.seq])[-MAX_STEPS_SHOWN:]),
            attempts=_attempts(row),
            worker_id=row.e_worker if row.q_place is None else row.q_worker,
            created_at=from_ms(row.created_at),
            updated_at=_updated_at(row),
            state=str(state),
            error=trouble_of(row.e_error if row.q_place is None else row.q_error),
            queue=lane.queue,
            priority=row.priority,
            run_at=from_ms(_run_ms(row)),
            unique_key=row.unique_key,
            concurrency_key=row.concurrency_key,
            lost_leases=row.q_lost or row.e_lost or 0,
            max_attempts=row.max_attempts,
            leased_until=from_ms(row.q_leased_until or 0) if row.q_place == HELD else None,
            is_cancelling=bool(row.q_is_cancelled),
            created_by=row.created_by,
        )

    def _page(self, tx: Tx, wanted: JobFilter, *, limit: int, before: int | None) -> list[tuple[int, JobLine]]:
        wish = Wish(
            status=wanted.status,
            lanes=lanes_of(self._listeners, type=wanted.type, queue=wanted.queue),
            created_from=to_ms(wanted.created_from) if wanted.created_from else None,
            created_until=to_ms(wanted.created_until) if wanted.created_until else None,
            text=wanted.text,
            before=before,
        )
        return [(row.seq, self._line(tx, row)) for row in queries.page(tx, wish, limit=limit)]

    def _line(self, tx: Tx, row: JobRow) -> JobLine:
        lane = self._listeners.lanes.known(tx, row.lane)
        state = state_of_row(row)
        return JobLine(
            id=row.id,
            type=lane.type,
            status=STATUS[state],
            attempts=_attempts(row),
            worker_id=row.e_worker if row.q_place is None else row.q_worker,
            created_at=from_ms(row.created_at),
            updated_at=_updated_at(row),
            state=str(state),
            error=trouble_of(row.e_error if row.q_place is None else row.q_error),
            queue=lane.queue,
            priority=row.priority,
            run_at=from_ms(_run_ms(row)),
            concurrency_key=row.concurrency_key,
            lost_leases=row.q_lost or row.e_lost or 0,
            created_by=row.created_by,
        )


def state_of_row(row: JobRow) -> State:
    if row.q_place is None or row.q_phase is None:
        return ENDS[row.e_state or 0]
    return state_of(row.q_place, row.q_phase, is_resolve=bool(row.q_is_resolve))


def _tally(tx: Tx) -> dict[State, int]:
    tally: Counter[State] = Counter()
    for place, phase, is_resolve, count in queries.tally_unfinished(tx, most=MAX_TALLIED):
        tally[state_of(place, phase, is_resolve=bool(is_resolve))] += count
    for number, count in queries.tally_ended(tx, most=MAX_TALLIED).items():
        tally[ENDS[number]] += count
    return dict(tally)


def _step_detail(row: StepRow) -> StepDetail:
    return StepDetail(
        lease=row.lease,
        attempt=row.attempt,
        n=row.n,
        name=row.name,
        state=row.state,
        is_irreversible=bool(row.is_irreversible),
        started_at=from_ms(row.started_at),
        ended_at=None if row.ended_at is None else from_ms(row.ended_at),
        data=msgspec.json.decode(row.data),
    )


def steps_out(rows: Sequence[StepRow]) -> list[StepOut]:
    return [
        StepOut(
            row.attempt,
            row.n,
            row.name,
            row.state,
            from_ms(row.started_at),
            None if row.ended_at is None else from_ms(row.ended_at),
            Raw(row.data.encode()),
        )
        for row in rows
    ]


def _attempts(row: JobRow) -> int:
    if row.q_attempts is None:
        return row.e_attempts or 0
    return row.q_attempts + (row.q_place == HELD or bool(row.q_is_resolve))


def _run_ms(row: JobRow) -> int:
    if row.q_due_at is not None:
        return row.q_due_at
    return row.run_at if row.run_at is not None else row.created_at


def _updated_at(row: JobRow) -> datetime:
    if row.q_changed_at is None:
        return from_ms(row.e_ended_at or row.created_at)
    renewed_ms = (row.q_leased_until or 0) - (row.q_ttl_ms or 0) if row.q_place == HELD else 0
    return from_ms(max(row.q_changed_at, renewed_ms))
