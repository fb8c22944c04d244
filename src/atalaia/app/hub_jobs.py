"""Jobs of types that run in the hub (`runs_on="hub"`): leased and fenced as a worker's are, without a network between."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

import msgspec
import structlog
from msgspec import Raw

from atalaia.core.errors import AtalaiaError, ConfigError
from atalaia.core.ids import new_id
from atalaia.jobs.model.tokens import write_token
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.model.wire import NOTHING, CompleteIn, ErrorIn, LeaseIn, RenewIn, RenewItem, StepIn
from atalaia.jobs.service import JobsService, outcome_said
from atalaia.jobs.service.granting import Grant
from atalaia.runs.outcome import Ended, not_begun, perform, read_payload
from atalaia.runs.run import Assignment, Run
from atalaia.sdk.contribution import Contribution
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.jobs import Handler, JobFailed, JobType, StepRecord, StepState
from atalaia.sdk.upstreams import Upstream
from atalaia.version import COMMIT, VERSION

TTL_S: Final = 30.0
WAIT_S: Final = 25.0
BATCH_S: Final = 0.1
CONCURRENCY: Final = 8
PAUSE_S: Final = 1.0
STOP_WITHIN_S: Final = 5.0
_TRIES: Final = 5

log = structlog.get_logger()


class HeldLease:
    """One lease of the hub's own, and runs.steps.Line over it: renewed while it is held, with the steps as they come."""

    def __init__(self, jobs: JobsService, grant: Grant, worker_id: str, *, on_end: Callable[[str], None]) -> None:
        self.token = write_token(grant.job.seq, grant.lease, grant.secret)
        self._jobs = jobs
        self._id = grant.job.id
        self._worker_id = worker_id
        self._on_end = on_end
        self._steps: list[StepRecord] = []
        self._something = asyncio.Event()
        self._turn = asyncio.Lock()
        self._period_s = grant.ttl_ms / 3000

    def note(self, step: StepRecord) -> None:
        self._steps.append(step)
        self._something.set()

    async def commit(self, step: StepRecord) -> None:
        self._steps.append(step)
        try:
            state = await self.renew()
        except AtalaiaError as error:
            raise TemporaryFailure("The hub did not take the step in time.") from error
        if state != "ok":
            raise TemporaryFailure("The lease is lost." if state == "lost" else "The job is being cancelled.")

    async def keep(self) -> None:
        """Until it is cancelled, or the lease is lost."""
        while True:
            try:
                async with asyncio.timeout(self._period_s):
                    await self._something.wait()
                await asyncio.sleep(BATCH_S)
            except TimeoutError:
                pass
            try:
                state = await self.renew()
            except AtalaiaError as error:
                log.warning("lease_not_renewed", job=self._id, code=error.code)
                await asyncio.sleep(PAUSE_S)
                continue
            if state != "ok":
                self._on_end(state)
                return

    async def renew(self) -> str:
        """How the lease stands: ok, cancel or lost. Steps stay until the store has them."""
        async with self._turn:
            self._something.clear()
            sent = self._steps[:]
            item = RenewItem(self._id, self.token, [_step_in(step) for step in sent])
            _, renewed = await self._jobs.renew(RenewIn(self._worker_id, [item]))
            del self._steps[: len(sent)]
            return renewed[0].state

    def rest(self) -> list[StepIn]:
        return [_step_in(step) for step in self._steps]


class HubJobs:
    def __init__(
        self, jobs: JobsService, *, types: JobTypes, upstream: Callable[[str], Upstream], concurrency: int = CONCURRENCY
    ) -> None:
        self._jobs = jobs
        self._types = types
        self._own: Mapping[str, JobType] = {}
        self._runs: dict[str, Handler] = {}
        self._upstream = upstream
        self._concurrency = concurrency
        self._worker_id = f"hub:{socket.gethostname()}"
        self._incarnation = new_id()
        self._leasing: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._room = asyncio.Event()

    def contribution(self) -> Contribution:
        return Contribution(name="hub-jobs", start=self.start, release=self.release, stop=self.stop)

    def take(self, runs: Mapping[str, Handler], *, own: Sequence[str]) -> None:
        """Raises: ConfigError."""
        foreign = sorted(set(runs) - set(own))
        if foreign:
            raise ConfigError(f"{foreign[0]} is no job type of its own")
        self._runs |= runs

    async def start(self) -> None:
        self._own = {
            each.name: replace(each, run=self._runs.get(each.name, each.run))
            for each in self._types.all()
            if each.runs_on == "hub"
        }
        if self._own:
            self._leasing = asyncio.create_task(self._lease(), name="hub jobs")

    def release(self) -> None:
        """Ask for nothing more: questions are not waited for any longer."""
        if self._leasing is not None:
            self._leasing.cancel()

    async def stop(self) -> None:
        """What runs is broken off and handed back."""
        self.release()
        if self._leasing is not None:
            await asyncio.wait({self._leasing})
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=STOP_WITHIN_S)

    async def _lease(self) -> None:
        is_away = False
        while True:
            self._room.clear()
            free = self._concurrency - len(self._running)
            if free <= 0:
                await self._room.wait()
                continue
            try:
                leased = await self._jobs.lease(self._question(free))
            except AtalaiaError as error:
                if not is_away:  # once, not each second of a night
                    log.warning("hub_jobs_not_leased", code=error.code)
                is_away = True
                await asyncio.sleep(PAUSE_S)
                continue
            if is_away:
                log.warning("hub_jobs_leased_again")
            is_away = False
            for grant in leased.grants:
                task = asyncio.create_task(self._work(grant), name=f"job {grant.job.id}")
                self._running.add(task)
                task.add_done_callback(self._ended)
            if leased.word != "run":
                await asyncio.sleep(PAUSE_S)

    def _question(self, free: int) -> LeaseIn:
        return LeaseIn(
            worker_id=self._worker_id,
            incarnation=self._incarnation,
            types=sorted(self._own),
            resolves=sorted(name for name, each in self._own.items() if each.resolve is not None),
            max=free,
            wait_s=WAIT_S,
            ttl_s=TTL_S,
            version=VERSION,
            commit=COMMIT or "",
        )

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._running.discard(task)
        self._room.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("hub_job_failed", exc_info=task.exception())

    async def _work(self, grant: Grant) -> None:
        reasons: list[str] = []
        work: asyncio.Task[Ended]

        def on_end(state: str) -> None:
            reasons.append(state)
            work.cancel()

        held = HeldLease(self._jobs, grant, self._worker_id, on_end=on_end)
        work = asyncio.create_task(self._perform(grant, held))
        keeping = asyncio.create_task(held.keep())
        try:
            await asyncio.wait({work})
            if reasons != ["lost"]:
                await self._tell(grant, held, _ended_as(work, reasons))
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            await self._tell(grant, held, _ended_as(work, reasons))
            raise
        finally:
            keeping.cancel()

    async def _perform(self, grant: Grant, held: HeldLease) -> Ended:
        job, job_type = grant.job, self._own[grant.type]
        try:
            payload = read_payload(job_type, job.payload)
        except JobFailed as error:
            return not_begun(error, mode="resolve" if grant.is_resolve else "run")
        context = self._types.context(grant.type)
        name = job_type.upstream
        run = Run(
            Assignment(
                job.id,
                grant.type,
                job.attempts + 1,
                job.payload,
                payload,
                "resolve" if grant.is_resolve else "run",
                context.settings if context else {},
                context.templates if context else {},
                _earlier(grant),
            ),
            line=held,
            upstream=(lambda: self._upstream(name)) if name else None,
        )
        return await perform(job_type, run, within_s=job_type.whole_s)

    async def _tell(self, grant: Grant, held: HeldLease, ended: Ended) -> None:
        said = outcome_said(
            grant.job.id,
            CompleteIn(
                token=held.token,
                outcome=ended.outcome,
                result=NOTHING if ended.result is None else ended.result,
                error=_error_in(ended),
                steps=held.rest(),
            ),
        )
        for _ in range(_TRIES):
            try:
                await self._jobs.complete([said])
            except AtalaiaError as error:
                log.warning("hub_job_end_not_kept", job=grant.job.id, code=error.code)
                await asyncio.sleep(PAUSE_S)
            else:
                return


def _ended_as(work: "asyncio.Task[Ended]", reasons: Sequence[str]) -> Ended:
    if not work.cancelled():
        return work.result()
    return Ended("cancelled" if "cancel" in reasons else "released")


def _earlier(grant: Grant) -> list[StepRecord]:
    return [
        StepRecord(row.n, row.name, cast("StepState", row.state), msgspec.json.decode(row.data), row.attempt)
        for row in grant.earlier
    ]


def _step_in(step: StepRecord) -> StepIn:
    return StepIn(step.n, step.name, step.state, Raw(msgspec.json.encode(step.data)), step.took_ms)


def _error_in(ended: Ended) -> ErrorIn | None:
    error = ended.error
    if error is None:
        return None
    return ErrorIn(error.kind, error.message, error.retryable, error.retry_after_ms, error.hint)
