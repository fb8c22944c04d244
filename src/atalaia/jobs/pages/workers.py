"""Workers: who takes jobs, in which version, and what is to be done where one does not."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from atalaia.jobs.pages.edges import CREATE, READ, AnyRequest, Around, AroundJobs, Jobs, ThePages, actor_of
from atalaia.jobs.pages.words import WORKER_STATES
from atalaia.jobs.service import JobsService
from atalaia.web.pages import see_other

_WORST_FIRST = ("stale", "silent", "draining", "working", "idle")


@get("/jobs/workers", guards=READ, include_in_schema=False)
async def workers_page(request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs) -> Response[str]:
    title = pages.translator(request).translate("Workers")
    return await pages.page(request, "jobs/workers.html", title=title, **await _listed(jobs, around_jobs))


@get("/jobs/workers/rows", guards=READ, include_in_schema=False)
async def worker_rows(request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs) -> Response[str]:
    return await pages.fragment(request, "jobs/_workers_rows.html", **await _listed(jobs, around_jobs))


@post("/jobs/workers/{worker_id:str}/drain", guards=CREATE, include_in_schema=False)
async def drain(request: AnyRequest, jobs: Jobs, worker_id: FromPath[str]) -> Redirect:
    await jobs.workers.drain(worker_id, actor_of(request))
    return see_other("/jobs/workers")


@post("/jobs/workers/{worker_id:str}/resume", guards=CREATE, include_in_schema=False)
async def resume(request: AnyRequest, jobs: Jobs, worker_id: FromPath[str]) -> Redirect:
    await jobs.workers.drain(worker_id, actor_of(request), is_draining=False)
    return see_other("/jobs/workers")


async def _listed(jobs: JobsService, around: Around) -> dict[str, Any]:
    found = sorted(await jobs.workers.all(), key=lambda worker: (_WORST_FIRST.index(worker.state), worker.id))
    return {
        "workers": found,
        "rows": len(found),
        "hub_url": around.public_url,
        "states": WORKER_STATES,
        "least_version": jobs.workers.least_version,
    }


ROUTES = (workers_page, worker_rows, drain, resume)
