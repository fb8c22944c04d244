"""Schedules: jobs made by the clock."""

from typing import Any

import msgspec
from litestar import delete, get, post, put
from litestar.params import FromPath

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.jobs.api.bodies import decoded
from atalaia.jobs.api.jobs import AnyRequest, Jobs, actor_of
from atalaia.jobs.service.scheduling import ScheduleIn, ScheduleOut

_READ: Any = {"guards": [requires(Permission.JOBS_READ)], "tags": ["Jobs"]}
_WRITE: Any = {"guards": [requires(Permission.JOBS_CREATE)], "tags": ["Jobs"]}
_SCHEDULE = msgspec.json.Decoder(ScheduleIn)


class ScheduleList(msgspec.Struct, frozen=True):
    items: list[ScheduleOut]


@get("/api/job-schedules", **_READ)
async def list_schedules(jobs: Jobs) -> ScheduleList:
    """By name."""
    return ScheduleList(await jobs.scheduling.all())


@get("/api/job-schedules/{schedule_id:str}", **_READ)
async def read_schedule(schedule_id: FromPath[str], jobs: Jobs) -> ScheduleOut:
    return await jobs.scheduling.find(schedule_id)


# The body is read as it came: a payload is kept to the byte.
@post("/api/job-schedules", status_code=201, **_WRITE)
async def add_schedule(request: AnyRequest, jobs: Jobs) -> ScheduleOut:
    """A job at each slot of a cron expression, in its time zone; at most one for each."""
    return await jobs.scheduling.add(decoded(_SCHEDULE, await request.body()), actor_of(request))


@put("/api/job-schedules/{schedule_id:str}", status_code=200, **_WRITE)
async def change_schedule(schedule_id: FromPath[str], request: AnyRequest, jobs: Jobs) -> ScheduleOut:
    return await jobs.scheduling.change(schedule_id, decoded(_SCHEDULE, await request.body()), actor_of(request))


@delete("/api/job-schedules/{schedule_id:str}", status_code=204, **_WRITE)
async def drop_schedule(schedule_id: FromPath[str], request: AnyRequest, jobs: Jobs) -> None:
    await jobs.scheduling.drop(schedule_id, actor_of(request))


ROUTES = (list_schedules, read_schedule, add_schedule, change_schedule, drop_schedule)
