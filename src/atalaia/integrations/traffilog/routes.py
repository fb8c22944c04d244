"""The kept addresses of the first system of this kind, so that its apps go on working."""

from typing import Any, Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.redaction import Secret
from atalaia.core.translations import N_
from atalaia.integrations.traffilog.login import MIN_TOKEN_LENGTH, is_token
from atalaia.integrations.traffilog.manifest import NAME
from atalaia.integrations.traffilog.payloads import check_start
from atalaia.sdk.integration import Host, Reply, Request, Route

_STATUS_FIELDS: Final = ("hasToken", "tokenLen", "expiresAt", "renewedAt", "source", "path")


class Routes:
    def __init__(self, host: Host) -> None:
        self._host = host

    def all(self) -> tuple[Route, ...]:
        return (
            Route(
                "POST",
                "/api/scheme-builder/start",
                Permission.JOBS_CREATE,
                self.start,
                document=_START,
                keyless_networks="keyless_networks",
            ),
            Route(
                "GET",
                "/api/admin/session-token/status",
                Permission.UPSTREAMS_READ,
                self.token_status,
                document=_STATUS,
            ),
            Route("POST", "/api/admin/session-token", Permission.UPSTREAMS_WRITE, self.keep_token, document=_KEEP),
        )

    async def start(self, request: Request) -> Reply:
        """The body itself is the job's payload, to the byte."""
        check_start(request.body)
        job = await self._host.enqueue(
            "scheme_builder",
            request.body.decode(),
            by=request.principal,
            idempotency_key=request.headers.get("idempotency-key"),
        )
        return Reply({"jobId": job.id, "status": job.status, "eventsUrl": self._host.events_ticket(job.id)}, status=202)

    async def token_status(self, request: Request) -> Reply:  # noqa: ARG002 - a handler's form
        status = await self._host.token_status(NAME)
        values = (
            status.has_token,
            status.length,
            status.expires_at,
            status.renewed_at,
            status.source,
            f"upstreams/{NAME}",
        )
        return Reply(dict(zip(_STATUS_FIELDS, values, strict=True)))

    async def keep_token(self, request: Request) -> Reply:
        """A token given by hand. Raises: InvalidField."""
        token = request.json(_TokenBody).token.strip()
        if not is_token(token):
            raise InvalidField("token", N_("This is not a session token: it is too short, or has other characters."))
        await self._host.keep_token(NAME, Secret(token), by=request.principal, client=request.client)
        return Reply(status=204)


class _TokenBody(msgspec.Struct):
    token: str


def _object(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}


_IDENTITY: Final = {"oneOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\s*\d+\s*$"}]}
_START: Final = {
    "summary": "Assign a setting to a vehicle",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _object(
                    clientId=_IDENTITY,
                    clientName={"type": "string", "minLength": 1},
                    vehicleId=_IDENTITY,
                    vehicleSettingId=_IDENTITY,
                    comment={"type": "string", "minLength": 1, "maxLength": 2000},
                )
            }
        },
    },
    "responses": {
        "202": {
            "description": "The job is queued",
            "content": {
                "application/json": {
                    "schema": _object(jobId={"type": "string"}, status={"type": "string"}, eventsUrl={"type": "string"})
                }
            },
        }
    },
}
_INSTANT: Final = {"type": ["string", "null"], "format": "date-time"}
_STATUS: Final = {
    "summary": "Whether there is a session token; never the token",
    "responses": {
        "200": {
            "description": "The token's state",
            "content": {
                "application/json": {
                    "schema": _object(
                        hasToken={"type": "boolean"},
                        tokenLen={"type": ["integer", "null"]},
                        expiresAt=_INSTANT,
                        renewedAt=_INSTANT,
                        source={"type": ["string", "null"]},
                        path={"type": "string"},
                    )
                }
            },
        }
    },
}
_KEEP: Final = {
    "summary": "Keep a session token given by hand",
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _object(token={"type": "string", "minLength": MIN_TOKEN_LENGTH})}},
    },
    "responses": {"204": {"description": "It is kept"}},
}
