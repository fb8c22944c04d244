"""JSON routes below /api/jobs, past the hot ones."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.core.errors import Conflict, Gone, InvalidField, NotFound
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.jobs.api.bodies import decoded
from atalaia.jobs.model.states import State, Status
from atalaia.jobs.model.views import JobFilter, JobLine, JobOut, JobRef
from atalaia.jobs.model.wire import CompleteIn
from atalaia.jobs.service import JobsService, outcome_said
from atalaia.jobs.service.control import Actor, BulkWish
from atalaia.jobs.service.holding import Completed
from atalaia.web.cursors import DEFAULT_LIMIT, MAX_LIMIT, Listing, decode_cursor, encode_cursor

AnyRequest = Request[Any, Any, Any]
Jobs = NamedDependency[JobsService]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
_READ: Any = {"guards": [requires(Permission.JOBS_READ)], "tags": ["Jobs"]}
_CREATE: Any = {"guards": [requires(Permission.JOBS_CREATE)], "tags": ["Jobs"], "status_code": 200}
_WORK: Any = {"guards": [requires(Permission.JOBS_WORK)], "tags": ["Jobs"]}
_COMPLETE = msgspec.json.Decoder(CompleteIn)


class BulkRetryIn(msgspec.Struct, frozen=True):
    """Ended jobs to start again: these `ids`, or all in `states` (dead ones unless said) of a type, queue and age."""

    ids: Annotated[list[str], msgspec.Meta(max_length=1000)] = []
    states: tuple[State, ...] = (State.DEAD,)
    type: str | None = None
    queue: str | None = None
    created_from: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1000


class BulkRetried(msgspec.Struct, frozen=True):
    ids: list[str]
    skipped: int


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    status: int
    replayed: bool = False


class Context(msgspec.Struct, frozen=True):
    etag: str
    settings: dict[str, Any]
    templates: dict[str, Any]


def actor_of(request: AnyRequest) -> Actor:
    return Actor(principal_of(request), client_of(request))


@get("/api/jobs", **_READ)
async def list_jobs(
    jobs: Jobs,
    status: FromQuery[Status | None] = None,
    of_type: Annotated[str | None, QueryParameter(name="type")] = None,
    queue: FromQuery[str | None] = None,
    created_from: FromQuery[datetime | None] = None,
    created_until: FromQuery[datetime | None] = None,
    q: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[JobLine]:
    """Newest first. `q` is looked for in ids, keys and payloads."""
    for name, value in (("created_from", created_from), ("created_until", created_until)):
        if value is not None and value.tzinfo is None:
            raise InvalidField(name, N_("say the time zone too, such as Z"))
    text = q.replace("\0", "") if q else None
    wanted = JobFilter(
        status=status, type=of_type, queue=queue, created_from=created_from, created_until=created_until, text=text
    )
    after = decode_cursor(cursor, int)
    lines, following = await jobs.reading.jobs(wanted, limit=limit, before=after[0] if after else None)
    return Listing(lines, encode_cursor(following) if following is not None else None)


@get("/api/jobs/{job_id:str}", **_READ)
async def read_job(job_id: FromPath[str], jobs: Jobs) -> JobOut:
    """One job with its steps; the payload and the result are the text that came in."""
    return await jobs.reading.job(job_id)


@post("/api/jobs/{job_id:str}/cancel", **_CREATE)
async def cancel_job(job_id: FromPath[str], request: AnyRequest, jobs: Jobs) -> JobRef:
    """A waiting job ends at once; the worker of a running one is told with its next renewal."""
    return await jobs.control.cancel(job_id, actor_of(request))


@post("/api/jobs/{job_id:str}/retry", **_CREATE)
async def retry_job(job_id: FromPath[str], request: AnyRequest, jobs: Jobs) -> JobRef:
    """Start an ended job again, as a new attempt."""
    return await jobs.control.retry(job_id, actor_of(request))


@post("/api/jobs/retry", **_CREATE)
async def retry_jobs(data: JSONBody[BulkRetryIn], request: AnyRequest, jobs: Jobs) -> BulkRetried:
    """Start many ended jobs again, the oldest first."""
    if State.SUCCEEDED in data.states or not set(data.states) <= {
        State.DEAD,
        State.FAILED,
        State.UNKNOWN,
        State.CANCELLED,
    }:
        raise InvalidField("states", N_("choose among dead, failed, unknown and cancelled"))
    wish = BulkWish(data.ids, data.states, data.type, data.queue, data.created_from, data.limit)
    done = await jobs.control.retry_many(wish, actor_of(request))
    return BulkRetried(done.ids, done.skipped)


@post("/api/jobs/{job_id:str}/complete", status_code=200, **_WORK)
async def complete_job(job_id: FromPath[str], request: AnyRequest, jobs: Jobs) -> Outcome:
    """Tell a job's outcome; the same token and body again is answered the same, with `replayed`."""
    said = outcome_said(job_id, decoded(_COMPLETE, await request.body()))
    (completed,) = await jobs.complete([said])
    return _answer(job_id, completed)


def _answer(job_id: str, completed: Completed) -> Outcome:
    if completed.status == 200:  # noqa: PLR2004 - of HTTP
        return Outcome(job_id, 200, replayed=completed.is_replayed)
    if completed.status == 409:  # noqa: PLR2004 - of HTTP
        raise Conflict(
            N_("this lease is not in force any more"),
            code="lease_lost",
            hint=N_("Another worker has the job, or will get it: drop this run."),
        )
    if completed.status == 410:  # noqa: PLR2004 - of HTTP
        raise Gone(N_("this job has ended otherwise"), code="job_ended")
    raise InvalidField("outcome", N_("this lease was completed with other words before"))


@get("/api/worker/context/{job_type:str}", **_WORK)
async def read_context(job_type: FromPath[str], request: AnyRequest, jobs: Jobs) -> Response[Context | None]:
    """Settings and frame templates that a type's worker needs; leases say when they have changed (`context_etag`)."""
    context = jobs.types.context(job_type)
    if context is None:
        raise NotFound(N_("the hub knows nothing of this type"))
    etag = jobs.types.etag(job_type)
    headers = {"etag": f'"{etag}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(None, status_code=304, headers=headers)
    return Response(Context(etag, dict(context.settings), dict(context.templates)), headers=headers)


ROUTES = (list_jobs, read_job, cancel_job, retry_job, retry_jobs, complete_job, read_context)
