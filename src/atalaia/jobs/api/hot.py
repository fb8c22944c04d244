"""The routes that workers live on, past the framework: create, lease, renew, complete."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec
from litestar.exceptions import MethodNotAllowedException

from atalaia.access.authenticator import Authenticator
from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.permissions import Permission, Principal
from atalaia.jobs.api import document
from atalaia.jobs.api.bodies import decoded, job_of, raw_body
from atalaia.jobs.model.wire import MAX_PAYLOAD_BYTES, BulkIn, CompleteManyIn, LeaseIn, RenewIn
from atalaia.jobs.service import JobsService, outcomes_said, refusal_of
from atalaia.jobs.service.answers import completed_out, lease_out, renew_out
from atalaia.jobs.service.creating import Made, NewJobSpec
from atalaia.jobs.service.workers import RUN
from atalaia.sdk.contribution import HotRoute
from atalaia.web.addresses import header
from atalaia.web.answers import JSON, send_bytes

MAX_JOB_BYTES = MAX_PAYLOAD_BYTES + 16_384
MAX_MANY_BYTES = 16 * 1024 * 1024
WORD_HEADER = b"x-atalaia-worker"

_BULK = msgspec.json.Decoder(BulkIn)
_LEASE = msgspec.json.Decoder(LeaseIn)
_RENEW = msgspec.json.Decoder(RenewIn)
_COMPLETE = msgspec.json.Decoder(CompleteManyIn)
_encode = msgspec.json.Encoder().encode

# The list of jobs has the same address, and is the framework's.
_SHARED = {"/api/jobs": "POST"}

Handler = Callable[[Any, Any, Any, Principal], Coroutine[Any, Any, None]]


class HotJobs:
    def __init__(self, jobs: JobsService, authenticator: Authenticator, *, clock: Clock) -> None:
        self._jobs = jobs
        self._authenticator = authenticator
        self._clock = clock

    def routes(self) -> Sequence[HotRoute]:
        create, work = Permission.JOBS_CREATE, Permission.JOBS_WORK
        # A request for leases waits on purpose; the others are counted as jobs (service.counting).
        return (
            self._route("/api/jobs", create, self._create, document.CREATE),
            self._route("/api/jobs/bulk", create, self._create_many, document.BULK),
            self._route("/api/leases", work, self._lease, document.LEASE),
            self._route("/api/leases/renew", work, self._renew, document.RENEW),
            self._route("/api/leases/complete", work, self._complete, document.COMPLETE),
        )

    def _route(self, path: str, permission: Permission, handler: Handler, operation: dict[str, Any]) -> HotRoute:
        async def handle(scope: Any, receive: Any, send: Any) -> None:
            if scope["method"] != "POST":
                raise MethodNotAllowedException
            principal = self._authenticator.key_principal(scope["headers"])
            if principal is None or permission not in principal.permissions:
                principal = await self._authenticator.require_key(scope, permission)
            await handler(scope, receive, send, principal)

        return HotRoute(
            path, handle, permission, {path: {"post": operation}}, is_counted=False, method=_SHARED.get(path)
        )

    # -- making

    async def _create(self, scope: Any, receive: Any, send: Any, principal: Principal) -> None:
        body = await raw_body(scope, receive, limit=MAX_JOB_BYTES)
        key = header(scope, b"idempotency-key") or None
        created = await self._jobs.create(job_of(body), by=principal, key=key, body=body)
        job = created.jobs[0]
        is_new = job.is_new and not created.is_replayed
        await send_bytes(send, 201 if is_new else 200, _encode({"id": job.id, "status": job.status}), (JSON,))

    async def _create_many(self, scope: Any, receive: Any, send: Any, principal: Principal) -> None:
        body = await raw_body(scope, receive, limit=MAX_MANY_BYTES)
        read = [self._read_item(raw) for raw in decoded(_BULK, body).items]
        specs = [each for each in read if isinstance(each, NewJobSpec)]
        key = header(scope, b"idempotency-key") or None
        created = await self._jobs.create_specs(specs, by=principal, key=key, body=body) if specs else None
        made = iter(created.jobs if created else ())
        items = [_made(next(made)) if isinstance(each, NewJobSpec) else {"error": each} for each in read]
        await send_bytes(
            send, 200 if created is None or created.is_replayed else 201, _encode({"items": items}), (JSON,)
        )

    def _read_item(self, raw: msgspec.Raw) -> NewJobSpec | dict[str, str]:
        try:
            return self._jobs.creating.spec_of(job_of(bytes(raw)))
        except msgspec.ValidationError as error:
            why, _, path = str(error).partition(" - at `$")
            named = path.rstrip("`").lstrip(".") or why.partition("missing required field `")[2].rstrip("`")
            return {"code": InvalidField.code, "message": why, "field": named or "item"}
        except AtalaiaError as error:
            return refusal_of(error)

    # -- working

    async def _lease(self, scope: Any, receive: Any, send: Any, _principal: Principal) -> None:
        request = decoded(_LEASE, await raw_body(scope, receive, limit=262_144))

        def gone() -> asyncio.Future[None]:
            return asyncio.ensure_future(_until_gone(receive))

        leased = await self._jobs.lease(request, address=scope["state"]["client"], gone=gone)
        if leased.grants:
            answer = lease_out(leased, self._jobs.types, now=self._clock.now())
            await send_bytes(send, 200, _encode(answer), (JSON,))
            return
        headers = [] if leased.word == RUN else [(WORD_HEADER, leased.word.encode())]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _renew(self, scope: Any, receive: Any, send: Any, _principal: Principal) -> None:
        request = decoded(_RENEW, await raw_body(scope, receive, limit=MAX_MANY_BYTES))
        word, renewed = await self._jobs.renew(request)
        await send_bytes(send, 200, _encode(renew_out(request, word, renewed)), (JSON,))

    async def _complete(self, scope: Any, receive: Any, send: Any, _principal: Principal) -> None:
        request = decoded(_COMPLETE, await raw_body(scope, receive, limit=MAX_MANY_BYTES))
        items = request.items
        completed = await self._jobs.complete(outcomes_said(items)) if items else []
        await send_bytes(send, 200, _encode(completed_out(items, completed)), (JSON,))


def _made(job: Made) -> dict[str, str]:
    return {"id": job.id, "status": job.status}


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
