"""Leases: due jobs to those who ask, many requests to a commit.

1. What a request has got already (its `request_id` comes again) it gets again.
2. Requests for the same types are served together, the first to come first, by priority and age.
3. Limits and open breakers leave out lanes, or take only so many of them.
4. A job that is taken is held: its lease number grows, and the secret of its token is new.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from atalaia.core.clock import Clock, to_ms
from atalaia.jobs.model.tokens import new_secret
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.queries import leasing as queries
from atalaia.jobs.queries import steps as step_queries
from atalaia.jobs.queries.leasing import Candidate, HeldRow, Hold
from atalaia.jobs.queries.steps import StepRow
from atalaia.jobs.service.bell import Wanted
from atalaia.jobs.service.effects import Effects, Listeners
from atalaia.jobs.service.limits import Limits
from atalaia.jobs.service.starts import Place
from atalaia.sdk.transaction import Tx

_MAX_MS = 2**62


class LeaseWant(NamedTuple):
    """`request`: the fingerprint of its id; `is_repeat`: it may have been served before."""

    wanted: frozenset[Wanted]
    worker: str
    limit: int
    ttl_ms: int
    request: int | None
    is_repeat: bool


class Grant(NamedTuple):
    """A job that is held, and on which terms. `deadline_ms` is since the epoch."""

    job: Candidate
    type: str
    is_resolve: bool
    lease: int
    secret: str
    ttl_ms: int
    deadline_ms: int
    earlier: Sequence[StepRow]


class Granting:
    """`is_held_back(type)`: nothing of it is leased now, since its upstream does not answer."""

    def __init__(
        self,
        types: JobTypes,
        limits: Limits,
        listeners: Listeners,
        *,
        clock: Clock,
        is_held_back: Callable[[str], bool],
    ) -> None:
        self._types = types
        self._limits = limits
        self._listeners = listeners
        self._clock = clock
        self._is_held_back = is_held_back

    def grant(self, tx: Tx, wants: Sequence[LeaseWant]) -> list[list[Grant]]:
        effects = Effects(tx, self._listeners, now_ms=to_ms(self._clock.now()))
        granted: list[list[Grant]] = [self._again(tx, want) for want in wants]
        groups: dict[frozenset[Wanted], list[int]] = {}
        for index, want in enumerate(wants):
            if not granted[index]:
                groups.setdefault(want.wanted, []).append(index)
        for wanted, indexes in groups.items():
            self._serve(tx, wanted, [(wants[index], granted[index]) for index in indexes], effects)
        effects.settle()
        return granted

    def _again(self, tx: Tx, want: LeaseWant) -> list[Grant]:
        if want.request is None or not want.is_repeat:
            return []
        rows = queries.held_for(tx, request=want.request, worker=want.worker)
        earlier = self._earlier(tx, {row.candidate.seq: row.candidate.lease - 1 for row in rows})
        return [self._held(tx, row, earlier) for row in rows]

    def _held(self, tx: Tx, row: HeldRow, earlier: Mapping[int, list[StepRow]]) -> Grant:
        job = row.candidate
        lane = self._listeners.lanes.known(tx, job.lane)
        steps = earlier.get(job.seq, ())
        return Grant(job, lane.type, lane.is_resolve, job.lease, row.token, row.ttl_ms, row.deadline_ms, steps)

    def _serve(
        self, tx: Tx, wanted: frozenset[Wanted], asking: Sequence[tuple[LeaseWant, list[Grant]]], effects: Effects
    ) -> None:
        for each in wanted:
            if each.is_resolve:
                self._listeners.lanes.note_resolver(tx, each.type)
        lanes = self._open_lanes(tx, wanted)
        found = self._candidates(tx, lanes, sum(want.limit for want, _ in asking), effects.now_ms)
        if not found:
            return
        earlier = self._earlier(tx, {job.seq: job.lease for job in found if job.lease > 0})
        terms = {lane: self._terms(tx, lane, effects.now_ms) for lane in {job.lane for job in found}}
        holds: list[Hold] = []
        start = 0
        for want, granted in asking:
            part = found[start : start + want.limit]
            start += len(part)
            if not part:
                break
            secret = new_secret()
            for job in part:
                type_, is_resolve, deadline_ms = terms[job.lane]
                steps = earlier.get(job.seq, ())
                granted.append(Grant(job, type_, is_resolve, job.lease + 1, secret, want.ttl_ms, deadline_ms, steps))
            holds += _holds(want, granted, secret, effects.now_ms)
        queries.hold(tx, holds)

    def _terms(self, tx: Tx, lane_id: int, now_ms: int) -> tuple[str, bool, int]:
        """What is the same for all of a lane: type, whether it is to be resolved, deadline."""
        lane = self._listeners.lanes.known(tx, lane_id)
        deadline_ms = now_ms + int(self._types.whole_s(lane.type) * 1000)
        return lane.type, lane.is_resolve, min(deadline_ms, _MAX_MS)

    def _open_lanes(self, tx: Tx, wanted: frozenset[Wanted]) -> list[int]:
        is_open = (each for each in sorted(wanted) if not self._is_held_back(each.type))
        return self._listeners.lanes.looked_up(tx, is_open)

    def _candidates(self, tx: Tx, lanes: Sequence[int], need: int, now_ms: int) -> list[Candidate]:
        budget = self._limits.budget(tx, lanes, now_ms=now_ms) if self._limits.has_any else None
        found: list[Candidate] = []
        for lane in lanes:
            most = need if budget is None else min(need, budget.left(lane))
            if most > 0:
                found += self._ready(tx, lane, limit=most)
        if len(lanes) > 1:
            found.sort(key=_order)
        if budget is None:
            return found[:need]
        taken = list(islice((job for job in found if budget.take(job.lane)), need))
        budget.keep(tx, taken)
        return taken

    def _ready(self, tx: Tx, lane: int, *, limit: int) -> list[Candidate]:
        if tx.dialect == "sqlite":
            return queries.ready(tx, lane, limit=limit)
        starts = self._listeners.starts
        plan, mark = starts.plan(lane)
        found: list[Candidate] = queries.ready(tx, lane, limit=limit) if plan is None else []
        for start in plan or ():
            if len(found) < limit:
                found += queries.ready_behind(tx, lane, start, limit=limit - len(found))
        places = [Place(job.rank, job.due_at, job.seq) for job in found]
        tx.after_commit(lambda: starts.took(lane, places, mark))
        return found

    def _earlier(self, tx: Tx, last_leases: Mapping[int, int]) -> dict[int, list[StepRow]]:
        """Steps of former leases."""
        steps: dict[int, list[StepRow]] = {}
        if last_leases:
            for row in step_queries.of(tx, list(last_leases)):
                if row.lease <= last_leases[row.seq]:
                    steps.setdefault(row.seq, []).append(row)
        return steps


def _order(job: Candidate) -> tuple[int, int, int]:
    return job.rank, job.due_at, job.seq


def _holds(want: LeaseWant, granted: Sequence[Grant], secret: str, now_ms: int) -> list[Hold]:
    by_deadline: dict[int, list[int]] = {}
    for grant in granted:
        by_deadline.setdefault(grant.deadline_ms, []).append(grant.job.seq)
    return [
        Hold(seqs, secret, want.worker, want.ttl_ms, now_ms, now_ms + want.ttl_ms, deadline_ms, want.request)
        for deadline_ms, seqs in by_deadline.items()
    ]
