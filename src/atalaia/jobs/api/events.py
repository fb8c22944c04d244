"""GET /events/{jobId}: a job's steps as server-sent events, what there is first, until it ends.

`event: step` for each step and each change of one, `event: status` when the status changes, `event: end` last.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar import get
from litestar.types import ASGIApp

from atalaia.core.errors import Forbidden, Overloaded, Unauthenticated
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_
from atalaia.jobs.model.states import FINISHED
from atalaia.jobs.model.views import JobOut, StepOut
from atalaia.jobs.service import JobsService
from atalaia.jobs.service.following import Followed, Following
from atalaia.jobs.service.tickets import Tickets

BEAT_S = 15.0
MAX_STREAMS = 1000
_ENDED = {str(state) for state in FINISHED}


class JobEvents:
    def __init__(self, jobs: JobsService, following: Following, tickets: Tickets) -> None:
        self._jobs = jobs
        self._following = following
        self._tickets = tickets

    def route(self) -> Any:
        # Litestar (2.x) can't route an ASGI handler whose path has a parameter; a GET that gives an ASGI application can have one.
        handle = self.handle

        async def follow() -> ASGIApp:
            return handle

        return get("/events/{job_id:str}", include_in_schema=False, opt={"public": True})(follow)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        job_id = str(scope["path_params"]["job_id"])
        self._check(scope, job_id)
        if self._following.count >= MAX_STREAMS:
            raise Overloaded(N_("too many live streams"), retry_after_s=30)
        with self._following.follow(job_id) as followed:  # before it is read: what changes from then on is heard
            job = await self._jobs.reading.job(job_id)
            gone = asyncio.create_task(_wait_for_end(receive, followed))
            try:
                await self._stream(job, followed, send)
            finally:
                gone.cancel()

    def _check(self, scope: Any, job_id: str) -> None:
        """A key or session that may read jobs, or a ticket for this one. Raises Unauthenticated, Forbidden."""
        tickets = parse_qs(scope["query_string"].decode("latin-1")).get("ticket", [])
        if tickets and self._tickets.is_good(job_id, tickets[0]):
            return
        principal: Principal | None = scope["state"].get("principal")
        if principal is None:
            refusal: Unauthenticated | None = scope["state"].get("refusal")
            raise refusal or Unauthenticated(
                N_("this needs a key that may read, or a ticket"), hint=N_("A ticket is good for 10 minutes.")
            )
        if not principal.may(Permission.JOBS_READ):
            raise Forbidden(N_("this needs the permission {permission}"), permission=Permission.JOBS_READ.value)

    async def _stream(self, job: JobOut, followed: Followed, send: Any) -> None:
        headers = [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        told: dict[tuple[int, int, Any], StepOut] = {}
        status = ""
        while True:
            lines = [b"retry: 1000\n\n"] if not status else []
            lines += _steps(job, told)
            if job.state != status:
                status = job.state
                lines.append(_event("status", {"id": job.id, "status": job.status, "state": job.state}))
            if job.state in _ENDED:
                end = {"id": job.id, "status": job.status, "state": job.state, "error": job.error}
                lines.append(_event("end", end))
            if lines:
                await send({"type": "http.response.body", "body": b"".join(lines), "more_body": True})
            if job.state in _ENDED or not await self._pause(followed, send):
                break
            followed.changed.clear()  # before it is read anew: what changes while it is read is heard
            job = await self._jobs.reading.job(job.id)
        await send({"type": "http.response.body", "body": b""})

    async def _pause(self, followed: Followed, send: Any) -> bool:
        """Until something may have changed, news being lossy; False when nobody listens any more."""
        try:
            async with asyncio.timeout(BEAT_S):
                await followed.changed.wait()
        except TimeoutError:
            await send({"type": "http.response.body", "body": b": beat\n\n", "more_body": True})
        return not followed.is_over


def _steps(job: JobOut, told: dict[tuple[int, int, Any], StepOut]) -> list[bytes]:
    lines = []
    for step in job.steps:
        key = (step.attempt, step.n, step.started_at)
        if told.get(key) != step:
            told[key] = step
            lines.append(_event("step", step))
    return lines


def _event(name: str, value: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(value) + b"\n\n"


async def _wait_for_end(receive: Any, followed: Followed) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    followed.end()
