"""Workers, limits."""

from typing import Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath, JSONBody

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.jobs.api.jobs import AnyRequest, Jobs, actor_of
from atalaia.jobs.service.limiting import LimitIn, LimitOut
from atalaia.jobs.service.workers import WorkerOut

_READ: Any = {"guards": [requires(Permission.JOBS_READ)], "tags": ["Jobs"]}
_WRITE: Any = {"guards": [requires(Permission.JOBS_CREATE)], "tags": ["Jobs"]}


class WorkerList(msgspec.Struct, frozen=True):
    items: list[WorkerOut]


class LimitList(msgspec.Struct, frozen=True):
    items: list[LimitOut]


@get("/api/workers", **_READ)
async def list_workers(jobs: Jobs) -> WorkerList:
    """Workers that asked for jobs: version, commit, last seen, how many jobs they hold, and whether they are too old."""
    return WorkerList(await jobs.workers.all())


@post("/api/workers/{worker_id:str}/drain", status_code=204, **_WRITE)
async def drain_worker(worker_id: FromPath[str], request: AnyRequest, jobs: Jobs) -> None:
    """It finishes what it has and takes no more, until it is started anew."""
    await jobs.workers.drain(worker_id, actor_of(request))


@post("/api/workers/{worker_id:str}/resume", status_code=204, **_WRITE)
async def resume_worker(worker_id: FromPath[str], request: AnyRequest, jobs: Jobs) -> None:
    await jobs.workers.drain(worker_id, actor_of(request), is_draining=False)


@get("/api/job-limits", **_READ)
async def list_limits(jobs: Jobs) -> LimitList:
    """How many of a queue or a type may run at once, or start in a span of time."""
    return LimitList(await jobs.limiting.all())


@put("/api/job-limits", status_code=200, **_WRITE)
async def put_limit(data: JSONBody[LimitIn], request: AnyRequest, jobs: Jobs) -> LimitOut:
    return await jobs.limiting.put(data, actor_of(request))


@delete("/api/job-limits/{kind:str}/{name:str}", status_code=204, **_WRITE)
async def drop_limit(kind: FromPath[str], name: FromPath[str], request: AnyRequest, jobs: Jobs) -> None:
    await jobs.limiting.drop(kind, name, actor_of(request))


ROUTES = (list_workers, drain_worker, resume_worker, list_limits, put_limit, drop_limit)
