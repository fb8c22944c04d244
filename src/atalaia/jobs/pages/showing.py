"""One job: how it stands, why, and everything that was done for it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from atalaia.captures.pages.diff import WAYS
from atalaia.core.errors import AtalaiaError, NotFound
from atalaia.core.translations import N_
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
from atalaia.jobs.pages.frames import Text, text_of
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
    return await pages.fragment(
        request, "jobs/_job_now.html", rows=_rows(context), is_part=True, problem=None, **context
    )


@get("/jobs/{job_id:str}/payload", guards=READ, include_in_schema=False)
async def payload_file(jobs: Jobs, job_id: JobId) -> Response[bytes]:
    """To the byte, as it came in: a page shows no more of it than can be read there."""
    return _file((await jobs.reading.detail(job_id)).job.payload, f"payload-{job_id}.json")


@get("/jobs/{job_id:str}/result", guards=READ, include_in_schema=False)
async def result_file(jobs: Jobs, job_id: JobId) -> Response[bytes]:
    result = (await jobs.reading.detail(job_id)).job.result
    if result is None:
        raise NotFound(N_("this job has no result"))
    return _file(result, f"result-{job_id}.json")


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
        rows=_rows(context),
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
    payload, result = await asyncio.to_thread(_texts_of, detail)
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
        "about": [(translator.translate(label), value) for label, value in about(job_type, payload)],
        "created_by": await around.name_of(job.created_by),
        "has_acted": any(step.is_irreversible for step in detail.steps),
        "departed": next((step.key for run in runs for step in run.steps if step.departures or step.held), None),
        "worker": next((each for each in workers if each.id == job.worker_id), None),
        "began_at": runs[0].started_at if runs and not _is_waiting(detail) else None,
        "payload": payload,
        "result": result,
        "ways": WAYS,
        "steps_left": len(detail.steps) - sum(len(run.steps) for run in runs),
    }


def _texts_of(detail: JobDetail) -> tuple[Text, Text | None]:
    payload, result = (
        bytes(raw).decode() if raw is not None else None for raw in (detail.job.payload, detail.job.result)
    )
    return text_of(payload or ""), text_of(result) if result is not None else None


def _rows(context: Mapping[str, Any]) -> int:
    """As many as a list would have that takes as long to render."""
    texts = [text for text in (context["payload"], context["result"]) if text is not None]
    steps = [step for run in context["runs"] for step in run.steps]
    return 3 * len(steps) + sum(len(text.raw) for text in texts) // 200


def _file(raw: bytes, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(bytes(raw), media_type="application/json", headers=headers)


def about(job_type: JobType | None, payload: Text) -> list[tuple[str, str]]:
    """What the fields of the type's form are in this job, as (label, value); long ones are left to the payload."""
    if job_type is None or payload.left:
        return []
    try:
        root = parse(payload.raw)
    except NotJson:
        return []
    given = {member.key: member.value for member in root.members}
    shown = []
    for each in job_type.form:
        node = given.get(each.name)
        if node is not None and not (node.members or node.items) and len(node.raw) <= _SHORT:
            shown.append((each.label, decode_string(node.raw) if node.kind == "string" else node.raw))
    return shown


def _departs(runs: list[Run]) -> bool:
    return any(step.departures or step.held for run in runs for step in run.steps)


def _is_waiting(detail: JobDetail) -> bool:
    return detail.job.state not in _ENDED and detail.job.leased_until is None


ROUTES = (show, part, payload_file, result_file, cancel, retry, happened)
