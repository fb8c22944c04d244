"""One leased job on this worker: from its lease to the hub's receipt for its end."""

import asyncio
import hashlib
import random
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from atalaia.core.errors import AtalaiaError
from atalaia.outbound.retry import full_jitter_s
from atalaia.runs.outcome import Ended, Failure, not_begun, perform, read_payload
from atalaia.runs.run import Assignment, Mode, Run
from atalaia.sdk.jobs import JobFailed, JobType, StepRecord
from atalaia.worker.clock import now_s
from atalaia.worker.contexts import Contexts
from atalaia.worker.hub import HubApi, KeyRefused, LeasedJob, Refused
from atalaia.worker.keeper import Keeper
from atalaia.worker.upstreams import WorkerUpstreams

Reason = Literal["lost", "cancelled", "released"]
# A handler that is told to end and does not is left behind after this.
END_WITHIN_S: Final = 10.0
# For how long an end is offered to a hub that is away: it decides whether the lease still counts.
TELL_WITHIN_S: Final = 300.0
_GONE: Final = frozenset({404, 409, 410})
_WRONG: Final = frozenset({413, 422})
_REFUSED: Final = "outcome_refused"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tools:
    """What all attempts of a worker share."""

    api: HubApi
    keeper: Keeper
    contexts: Contexts
    upstreams: WorkerUpstreams


class KeeperLine:
    """runs.steps.Line over the renewals of one lease."""

    def __init__(self, keeper: Keeper, job_id: str) -> None:
        self._keeper = keeper
        self._job_id = job_id

    def note(self, step: StepRecord) -> None:
        self._keeper.note(self._job_id, step)

    async def commit(self, step: StepRecord) -> None:
        await self._keeper.commit(self._job_id, step)


class Attempt:
    """`end(reason)` aborts the work; `run` comes back when nothing of it is left here."""

    def __init__(self, leased: LeasedJob, job_type: JobType, tools: Tools) -> None:
        self.leased = leased
        self._type = job_type
        self._tools = tools
        self._reason: Reason | None = None
        self._asked_to_end = asyncio.Event()
        self._log = log.bind(job=leased.id, type=leased.type, attempt=leased.attempt)

    def end(self, reason: Reason) -> None:
        """The first reason stands, but for a lost lease: then there is nobody to tell."""
        if self._reason is None or reason == "lost":
            self._reason = reason
        self._asked_to_end.set()

    async def run(self) -> None:
        leased, keeper = self.leased, self._tools.keeper
        keeper.add(leased.id, leased.token, ttl_s=leased.ttl_ms / 1000)
        self._log.info("job_started", mode=leased.mode)
        started_s = now_s()
        try:
            ended = await self._ended()
            if self._reason != "lost":
                await self._tell(ended)
        finally:
            keeper.drop(leased.id)
        self._log.info(
            "job_ended",
            outcome="lost" if self._reason == "lost" else ended.outcome,
            error=ended.error.kind if ended.error else None,
            seconds=round(now_s() - started_s, 3),
        )

    async def _ended(self) -> Ended:
        """How it ended, also when it was aborted; a handler that will not end is not waited for."""
        if self._reason is not None:
            return _aborted(self._reason)
        work = asyncio.create_task(self._performed(), name=f"job {self.leased.id}")
        asked = asyncio.create_task(self._asked_to_end.wait())
        await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not work.done():
            work.cancel()
            await asyncio.wait({work}, timeout=END_WITHIN_S)
        if not work.done():
            self._log.error("handler_did_not_end", seconds=END_WITHIN_S)
        elif not work.cancelled():
            return work.result()
        return _aborted(self._reason or "released")

    async def _performed(self) -> Ended:
        leased = self.leased
        try:
            _check_payload(leased)
            payload = read_payload(self._type, leased.payload_raw)
            context = await self._tools.contexts.of(leased.type, leased.context_etag)
        except JobFailed as error:
            return not_begun(error, mode=leased.mode)
        except AtalaiaError as error:
            self._log.warning("context_not_there", reason=str(error))
            return Ended("released")
        assignment = Assignment(
            leased.id,
            leased.type,
            leased.attempt,
            leased.payload_raw,
            payload,
            leased.mode,
            context.settings,
            context.templates,
            leased.earlier,
        )
        name = self._type.upstream
        run = Run(
            assignment,
            line=KeeperLine(self._tools.keeper, leased.id),
            upstream=(lambda: self._tools.upstreams.client(name)) if name else None,
        )
        return await perform(self._type, run, within_s=self._within_s())

    def _within_s(self) -> float:
        given_s = self.leased.deadline_ms / 1000
        return min(self._type.whole_s, given_s) if given_s > 0 else self._type.whole_s

    async def _tell(self, ended: Ended) -> None:
        """Until the hub has it, or says that it is not ours any more."""
        leased = self.leased
        steps = await self._tools.keeper.take_steps(leased.id)
        until_s, tries = now_s() + TELL_WITHIN_S, 0
        while now_s() < until_s:
            try:
                await self._tools.api.complete(leased.id, leased.token, ended, steps=steps)
            except Refused as error:
                if error.status in _GONE:
                    self._log.warning("lease_lost", reason=str(error))
                    self._reason = "lost"
                    return
                if error.status not in _WRONG or (ended.error is not None and ended.error.kind == _REFUSED):
                    self._log.error("outcome_refused", reason=str(error))
                    return
                if steps:  # it may be these that are too many or too large: the outcome goes without them
                    self._log.error("steps_refused", reason=str(error), steps=len(steps))
                    steps = []
                    continue
                ended = _refused(ended, error, mode=leased.mode)
            except KeyRefused as error:
                self._log.error("outcome_not_told", reason=str(error))
                return
            except AtalaiaError as error:
                tries += 1
                pause_s = full_jitter_s(tries, base_s=0.2, cap_s=5.0, chance=random.random)
                asked_s: float = getattr(error, "retry_after_s", None) or 0.0
                await asyncio.sleep(max(pause_s, min(asked_s, 10.0)))
            else:
                return
        self._log.error("outcome_not_told", outcome=ended.outcome)


def _check_payload(leased: LeasedJob) -> None:
    """Raises: JobFailed: not the bytes that were given in."""
    found = hashlib.sha256(leased.payload_raw.encode("utf-8", "surrogatepass")).hexdigest()
    if leased.payload_sha256 and found != leased.payload_sha256:
        raise JobFailed("The payload was changed on its way.", failure="payload_changed")


def _aborted(reason: Reason) -> Ended:
    return Ended("cancelled" if reason == "cancelled" else "released")


def _refused(ended: Ended, error: Refused, *, mode: Mode) -> Ended:
    """What the hub takes in place of an end that it does not; something that may have happened stays so."""
    outcome = "uncertain" if ended.outcome == "uncertain" or mode == "resolve" else "failed"
    return Ended(outcome, error=Failure(_REFUSED, str(error), retryable=False))  # type: ignore[arg-type]
