"""What a job that is not running waits for, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from atalaia.core.translations import N_
from atalaia.jobs.model.states import State
from atalaia.jobs.model.views import JobDetail
from atalaia.jobs.service.workers import WorkerOut
from atalaia.sdk.jobs import JobType
from atalaia.upstreams.model.views import UpstreamView

_ABLE = {"working", "idle"}


@dataclass(frozen=True, slots=True)
class Reason:
    """`text` is English, a key of the translations; `at` is when that is over, where it is known."""

    text: str
    at: datetime | None = None
    href: str | None = None
    is_trouble: bool = False


def reasons_of(
    detail: JobDetail,
    *,
    now: datetime,
    workers: Sequence[WorkerOut],
    job_type: JobType | None,
    upstream: UpstreamView | None,
) -> list[Reason]:
    """The first is what holds it up the longest; none for a job that runs or has ended."""
    job = detail.job
    if job.state in {State.LEASED, *_ENDED}:
        return (
            [Reason(N_("Cancelling was asked for: its worker is told with the next renewal."))]
            if _cancels(detail)
            else []
        )
    if detail.front_id is not None:
        return [Reason(N_("Another job of the same key goes first."), href=f"/jobs/{detail.front_id}")]
    found: list[Reason] = []
    if job.run_at > now:
        found.append(Reason(_DUE.get(State(job.state), N_("It is due at a later time.")), at=job.run_at))
    found += upstream_reasons(upstream)
    found += worker_reasons(job.type, workers, job_type)
    if job.state == State.RESOLVING:
        found.append(Reason(N_("It waits for a worker that can find out what happened."), at=detail.resolve_by))
    return found or [Reason(N_("It is next in line: a worker will take it at once."))]


_ENDED = (State.SUCCEEDED, State.FAILED, State.DEAD, State.UNKNOWN, State.CANCELLED)
_DUE = {
    State.RETRYING: N_("The next try is due."),
    State.SNOOZED: N_("It was put off."),
}


def _cancels(detail: JobDetail) -> bool:
    return detail.job.is_cancelling and detail.job.state == State.LEASED


def upstream_reasons(upstream: UpstreamView | None) -> list[Reason]:
    if upstream is None:
        return []
    href = f"/upstreams/{upstream.name}"
    if not upstream.is_configured:
        return [Reason(N_("The upstream is not configured."), href="/settings", is_trouble=True)]
    phases = {account.breaker.phase for account in upstream.accounts}
    if "open" in phases:
        return [Reason(N_("Calls to the upstream are held back: it keeps failing."), href=href, is_trouble=True)]
    return []


def worker_reasons(type_name: str, workers: Sequence[WorkerOut], job_type: JobType | None) -> list[Reason]:
    """Why no worker will take it."""
    if job_type is not None and job_type.runs_on == "hub":
        return []
    known = [worker for worker in workers if type_name in worker.types]
    if any(worker.state in _ABLE for worker in known):
        return []
    text = N_("No worker takes jobs of this type.")
    if any(worker.state == "stale" for worker in known):
        text = N_("Its workers are too old, and are given nothing.")
    elif any(worker.state == "draining" for worker in known):
        text = N_("Its workers are draining, and take nothing more.")
    elif known:
        text = N_("Its workers are silent.")
    return [Reason(text, href="/jobs/workers", is_trouble=True)]
