"""The lease machine under late, repeated, reordered and lost messages, clocks that jump, and restarts, against tests.store.jobs_model."""

import asyncio
from functools import partial
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec import Raw

from atalaia.core.errors import Conflict
from atalaia.core.permissions import SYSTEM
from atalaia.core.settings import Settings
from atalaia.jobs.model.tokens import read_token
from atalaia.jobs.model.wire import CompleteIn, ErrorIn, JobIn, LeaseIn, RenewIn, RenewItem, StepIn
from atalaia.jobs.service import JobsService, outcome_said
from atalaia.jobs.service.answers import lease_out
from atalaia.jobs.service.control import Actor
from atalaia.jobs.settings import SETTINGS
from atalaia.sdk.jobs import StepState
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.fakes import FakeClock
from tests.store.jobs_model import Job, Lease
from tests.store.jobs_site import known_types

TTL_S = 10.0
TABLES = ("jobs", "job_queue", "job_ends", "job_steps", "job_requests")
OUTCOMES = ("succeeded", "failed", "snoozed", "released", "cancelled", "uncertain")
# Steps as they come with a renewal; the last three are what is most worth trying.
SAID: tuple[tuple[StepState, ...], ...] = (
    (),
    ("started",),
    ("done",),
    ("failed",),
    ("irreversible",),
    ("irreversible", "done"),
    ("irreversible", "failed"),
)
workers = st.sampled_from(["w1", "w2"])
Told = tuple[str, str]  # job, token


class JobsMachine(RuleBasedStateMachine):
    """`store` and `loop` are put there by the test that runs it."""

    store: Store
    runner: asyncio.Runner

    @initialize()
    def begin(self) -> None:
        self.store.write_now(lambda tx: [tx.raw(f"DELETE FROM {table}") for table in TABLES])
        self.clock = FakeClock()
        self.jobs: dict[str, Job] = {}
        self.numbers: dict[str, int] = {}
        self.asked = 0
        self.given: list[Told] = []
        self.restart()
        for type_, client in (("mow", "a"), ("drive", "a"), ("mow", "b")):
            self.create(type_, client, key=client == "b")

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    # -- the hub

    @rule()
    def restart(self) -> None:
        """A new process: what was in memory is gone."""
        self.service = JobsService(
            self.store, clock=self.clock, settings=Settings(SETTINGS), types=known_types(whole_s=100_000)
        )
        self.run(self.service.start())
        self.grace_from = self.clock.monotonic()
        self.round()

    def round(self) -> None:
        """A round of each loop; then whatever lapsed must have had its time."""
        self.run(self.service.reaper.round())
        self.run(self.service.pulse.round())
        for job in self.jobs.values():
            lease = job.lease
            if lease is None:
                continue
            silent_s = self.clock.monotonic() - lease.renewed_at
            if self.shown(job.id)["lease"] != lease.number or self.shown(job.id)["place"] != 3:
                assert silent_s >= TTL_S, "a lease was lost though it was renewed in time"
                job.said_of("lapsed")
            else:
                is_graced = self.clock.monotonic() - self.grace_from <= TTL_S + 2
                assert silent_s < TTL_S + 2 or is_graced, "a lease lasts though nobody renews it"

    @rule(seconds=st.sampled_from([1, 4, 12]))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.advance(1)
            self.round()

    @rule(seconds=st.sampled_from([-3600, -20, 20, 3600]))
    def the_wall_clock_is_set(self, seconds: int) -> None:
        self.clock.jump(seconds)
        self.grace_from = self.clock.monotonic()
        self.clock.advance(0.5)
        self.round()

    @rule(seconds=st.sampled_from([5.0, 60.0]))
    def the_process_stands_still(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.grace_from = self.clock.monotonic()
        self.round()

    # -- those who want something done

    @rule(type=st.sampled_from(["mow", "drive"]), client=st.sampled_from(["a", "b"]), key=st.booleans())
    def create(self, type: str, client: str, key: bool) -> None:
        concurrency = f"client:{client}" if key or type == "drive" else None
        payload = Raw(b'{"client": "' + client.encode() + b'"}')
        made = self.run(
            self.service.create(JobIn(type=type, payload=payload, concurrency_key=concurrency), by=SYSTEM)
        ).jobs[0]
        self.jobs[made.id] = Job(made.id, type, concurrency)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        try:
            self.run(self.service.control.cancel(job.id, Actor(SYSTEM)))
        except Conflict:
            assert job.is_over
        else:
            assert not job.is_over
            job.cancel()

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def start_again(self, data: st.DataObject) -> None:
        job = self.jobs[data.draw(st.sampled_from(sorted(self.jobs)))]
        attempts = self.run(self.service.reading.job(job.id)).attempts
        try:
            self.run(self.service.control.retry(job.id, Actor(SYSTEM)))
        except Conflict:
            assert not job.is_over
        else:
            assert job.is_over
            job.again(attempts=attempts)

    # -- those who do it

    def told(self, data: st.DataObject) -> list[Told]:
        """Tokens that were handed out: mostly those that are good, sometimes any."""
        live = [
            told for told in self.given if (lease := self.jobs[told[0]].lease) is not None and lease.token == told[1]
        ]
        chance = data.draw(st.integers(0, 4))
        choice = live if live and chance else self.given
        return data.draw(st.lists(st.sampled_from(choice), min_size=1, max_size=2, unique=True))

    @precondition(lambda self: any(job.lease is None and not job.is_over for job in self.jobs.values()))
    @rule(worker=workers, count=st.integers(1, 3), resolves=st.booleans())
    def lease(self, worker: str, count: int, resolves: bool) -> None:
        self.asked += 1
        request = LeaseIn(
            worker_id=worker,
            types=["mow", "drive"],
            resolves=["drive"] if resolves else [],
            max=count,
            ttl_s=TTL_S,
            request_id=f"r{self.asked}",
            incarnation="i",
        )
        self.last_request = request
        self.given += self.granted(request)

    def granted(self, request: LeaseIn) -> list[Told]:
        leased = self.run(self.service.lease(request))
        answer = lease_out(leased, self.service.types, now=self.clock.now())
        told = []
        for given in answer.jobs:
            job, token = self.jobs[given.id], read_token(given.token)
            assert job.lease is None, "two leases of one job"
            assert job.state in {"waiting", "snoozed", "retrying", "resolving"}
            assert token.lease > self.numbers.get(job.id, 0), "the lease number only grows"
            self.numbers[job.id] = token.lease
            assert given.mode == ("resolve" if job.state == "resolving" else "run"), "never blindly repeated"
            if given.mode == "resolve":
                assert request.resolves
            assert given.attempt == job.failed + 1
            job.taken(
                Lease(
                    token.lease, given.token, request.worker_id, given.mode, request.request_id, self.clock.monotonic()
                )
            )
            told.append((given.id, given.token))
        return told

    @precondition(lambda self: hasattr(self, "last_request"))
    @rule()
    def the_same_request_again(self) -> None:
        """The answer got lost: what is still held comes again, and nothing else where something was held."""
        request = self.last_request
        mine = {
            job.lease.token
            for job in self.jobs.values()
            if job.lease is not None
            and job.lease.request == request.request_id
            and job.lease.worker == request.worker_id
        }
        if mine:
            leased = self.run(self.service.lease(request))
            answer = lease_out(leased, self.service.types, now=self.clock.now())
            assert {given.token for given in answer.jobs} == mine

    @precondition(lambda self: self.given)
    @rule(data=st.data(), states=st.sampled_from(SAID), n=st.integers(1, 2))
    def renew(self, data: st.DataObject, states: tuple[StepState, ...], n: int) -> None:
        held = self.told(data)
        steps = [StepIn(n, "step", state) for state in states]
        items = [RenewItem(id_, token, steps) for id_, token in held]
        _, answers = self.run(self.service.renew(RenewIn("w1", items)))
        for (id_, token), answer in zip(held, answers, strict=True):
            job = self.jobs[id_]
            if job.lease is None or job.lease.token != token:
                assert answer.state == "lost"
                continue
            assert answer.state == ("cancel" if job.is_cancelled else "ok")
            job.lease.renewed_at = self.clock.monotonic()
            for state in states:
                self.note(job.lease, n, state)

    def note(self, lease: Lease, n: int, state: str) -> None:
        order = ["started", "irreversible", "failed", "done"]
        if state == "irreversible":
            lease.declared.add(n)
        before = lease.steps.get(n)
        if before is None or order.index(state) > order.index(before):
            lease.steps[n] = state

    @precondition(lambda self: self.given)
    @rule(
        data=st.data(), outcome=st.sampled_from(OUTCOMES), is_retryable=st.booleans(), body=st.sampled_from(["1", "2"])
    )
    def complete(self, data: st.DataObject, outcome: str, is_retryable: bool, body: str) -> None:
        for id_, token in self.told(data):
            job = self.jobs[id_]
            error = ErrorIn("e", body, is_retryable, 0.0)
            item = CompleteIn(token=token, outcome=outcome, result=Raw(body.encode()), error=error)  # type: ignore[arg-type]
            (answer,) = self.run(self.service.complete([outcome_said(id_, item)]))
            said = (outcome, f"{body}{is_retryable}")
            assert (answer.status, answer.is_replayed) == self.expected(job, token, said)
            if job.lease is not None and job.lease.token == token:
                job.said[token] = said
                job.said_of(outcome, is_retryable=is_retryable)

    def expected(self, job: Job, token: str, said: tuple[str, str]) -> tuple[int, bool]:
        if job.lease is not None and job.lease.token == token:
            return 200, False
        is_last = job.last is not None and job.last.token == token
        if is_last and token in job.said:
            return (200, True) if job.said[token] == said else (422, False)
        if is_last and job.is_over:
            return 410, False
        return 409, False

    # -- what must always hold

    def shown(self, id: str) -> dict[str, Any]:
        sql = (
            "SELECT q.place, q.lease, e.state FROM jobs j LEFT JOIN job_queue q ON q.seq = j.seq"
            " LEFT JOIN job_ends e ON e.seq = j.seq WHERE j.id = ?"
        )
        (row,) = self.store.read_now(lambda tx: tx.raw(sql, (id,)))
        return dict(zip(("place", "lease", "end"), row, strict=True))

    @invariant()
    def every_job_is_where_the_model_has_it(self) -> None:
        if not hasattr(self, "jobs"):
            return
        for job in self.jobs.values():
            row = self.shown(job.id)
            assert (row["place"] is None) != (row["end"] is None), "in the queue, or among the ended: one of both"
            shown = self.run(self.service.reading.job(job.id))
            assert shown.state == job.state, (shown, job)
            assert (row["place"] == 3) == (job.lease is not None)

    @invariant()
    def one_of_a_key_is_held_or_one_stands_in_front(self) -> None:
        if not hasattr(self, "jobs"):
            return
        for key in {job.key for job in self.jobs.values() if job.key is not None}:
            rows = self.store.read_now(partial(_places, key=key))
            if rows:
                assert sum(place != 2 for (place,) in rows) == 1, rows


def _places(tx: Tx, *, key: str) -> list[tuple[Any, ...]]:
    return tx.raw("SELECT place FROM job_queue WHERE concurrency_key = ?", (key,))
