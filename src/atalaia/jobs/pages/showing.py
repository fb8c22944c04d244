"""One job: how it stands, why, and everything that was done for it."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from atalaia.captures.pages.diff import WAYS
from atalaia.core.errors import AtalaiaError
from atalaia.jobs.model.states import FINISHED, State
from atalaia.jobs.model.views import JobDetail
from atalaia.jobs.pages.edges import (
    CREATE,
    READ,
    AnyRequest,
    Around,
    AroundJobs,
    JobId,
    Jobs,
    ThePages,
    actor_of,
    words_of,
)
from atalaia.jobs.pages.frames import laid_out
from atalaia.jobs.pages.steps import Run, runs_of
from atalaia.jobs.pages.troubles import trouble_of
from atalaia.jobs.pages.waiting import reasons_of
from atalaia.jobs.pages.words import SHAPES, WORDS
from atalaia.jobs.service import JobsService
from atalaia.jobs.service.control import Actor
from atalaia.sdk.fidelity import NotJson, decode_string, parse
from atalaia.sdk.jobs import JobType
from atalaia.web.pages import Pages, see_other

_SHORT = 60
_ENDED = {str(state) for state in FINISHED}


@get("/jobs/{job_id:str}", guards=READ, include_in_schema=False)
async def show(
    request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs, job_id: JobId
) -> Response[str]:
    return await _page(request, pages, jobs, around_jobs, job_id)


@get("/jobs/{job_id:str}/now", guards=READ, include_in_schema=False)
async def part(
    request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs, job_id: JobId
) -> Response[str]:
    context = await _context(request, pages, jobs, around_jobs, job_id)
    return await pages.fragment(request, "jobs/_job_now.html", is_part=True, problem=None, **context)


@post("/jobs/{job_id:str}/cancel", guards=CREATE, status_code=200, include_in_schema=False)
async def cancel(
    request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs, job_id: JobId
) -> Response[str] | Redirect:
    return await _done(request, pages, jobs, around_jobs, job_id, jobs.control.cancel)


@post("/jobs/{job_id:str}/retry", guards=CREATE, status_code=200, include_in_schema=False)
async def retry(
    request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs, job_id: JobId
) -> Response[str] | Redirect:
    return await _done(request, pages, jobs, around_jobs, job_id, jobs.control.retry)


@post("/jobs/{job_id:str}/happened", guards=CREATE, status_code=200, include_in_schema=False)
async def happened(
    request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs, job_id: JobId
) -> Response[str] | Redirect:
    """A person has looked: it was done."""
    return await _done(request, pages, jobs, around_jobs, job_id, jobs.control.confirm)


async def _done(
    request: AnyRequest,
    pages: Pages,
    jobs: JobsService,
    around: Around,
    job_id: str,
    act: Callable[[str, Actor], Awaitable[Any]],
) -> Response[str] | Redirect:
    """Said on the page where it can't be: the job may have gone on meanwhile."""
    try:
        await act(job_id, actor_of(request))
    except AtalaiaError as error:
        return await _page(request, pages, jobs, around, job_id, problem=words_of(error, request, pages), status=409)
    return see_other(f"/jobs/{job_id}")


async def _page(
    request: AnyRequest,
    pages: Pages,
    jobs: JobsService,
    around: Around,
    job_id: str,
    *,
    problem: str | None = None,
    status: int = 200,
) -> Response[str]:
    context = await _context(request, pages, jobs, around, job_id)
    return await pages.page(
        request,
        "jobs/job.html",
        status=status,
        rows=sum(len(run.steps) for run in context["runs"]),
        title=context["type_title"],
        is_part=False,
        problem=problem,
        **context,
    )


async def _context(request: AnyRequest, pages: Pages, jobs: JobsService, around: Around, job_id: str) -> dict[str, Any]:
    detail = await jobs.reading.detail(job_id)
    job, translator = detail.job, pages.translator(request)
    job_type = jobs.types.find(job.type)
    upstream = job_type.upstream if job_type else None
    runs = await runs_of(detail, translator, upstream=upstream, captures=around.captures)
    workers = await jobs.workers.all()
    now = around.clock.now()
    return {
        "job": job,
        "shape": SHAPES[job.state],
        "word": WORDS[job.state],
        "type_title": translator.translate(job_type.title) if job_type else job.type,
        "upstream": upstream,
        "is_ended": job.state in _ENDED,
        "is_unknown": job.state == State.UNKNOWN,
        "trouble": trouble_of(job, translator, upstream=upstream, has_departures=_departs(runs)),
        "reasons": reasons_of(
            detail, now=now, workers=workers, job_type=job_type, upstream=await around.upstream(upstream)
        ),
        "runs": runs,
        "about": [
            (translator.translate(label), value) for label, value in about(job_type, bytes(job.payload).decode())
        ],
        "created_by": await around.name_of(job.created_by),
        "has_acted": any(step.is_irreversible for step in detail.steps),
        "departed": next((step.key for run in runs for step in run.steps if step.departures or step.held), None),
        "worker": next((each for each in workers if each.id == job.worker_id), None),
        "began_at": runs[0].started_at if runs and not _is_waiting(detail) else None,
        "payload": bytes(job.payload).decode(),
        "payload_pretty": laid_out(bytes(job.payload).decode()),
        "result": bytes(job.result).decode() if job.result is not None else None,
        "ways": WAYS,
        "result_pretty": laid_out(bytes(job.result).decode()) if job.result is not None else None,
    }


def about(job_type: JobType | None, payload: str) -> list[tuple[str, str]]:
    """What the fields of the type's form are in this job, as (label, value); long ones are left to the payload."""
    try:
        root = parse(payload)
    except NotJson:
        return []
    given = {member.key: member.value for member in root.members}
    shown = []
    for each in job_type.form if job_type else ():
        node = given.get(each.name)
        if node is not None and not (node.members or node.items) and len(node.raw) <= _SHORT:
            shown.append((each.label, decode_string(node.raw) if node.kind == "string" else node.raw))
    return shown


def _departs(runs: list[Run]) -> bool:
    return any(step.departures or step.held for run in runs for step in run.steps)


def _is_waiting(detail: JobDetail) -> bool:
    return detail.job.state not in _ENDED and detail.job.leased_until is None


ROUTES = (show, part, cancel, retry, happened)
