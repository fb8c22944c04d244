"""The JSON API of charging, beside the kept address of its dashboard."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.importing import Importing
from atalaia.integrations.cvepro.model.imports import Import, ImportState
from atalaia.sdk.integration import Host, Reply, Request, Route


def all_of(host: Host, importing: Importing) -> tuple[Route, ...]:
    desk = Imports(host, importing)
    base = "/api/cvepro/imports"
    return (
        Route("GET", base, Permission.JOBS_READ, desk.list, document=_LIST),
        Route("POST", base, Permission.JOBS_CREATE, desk.begin, document=_BEGIN),
        Route("POST", f"{base}/{{id}}/stop", Permission.JOBS_CREATE, desk.stop, document=_STOP),
        Route("POST", f"{base}/{{id}}/resume", Permission.JOBS_CREATE, desk.resume, document=_RESUME),
    )


class _Begin(msgspec.Struct, rename={"first": "from"}):
    first: str


class Imports:
    def __init__(self, host: Host, importing: Importing) -> None:
        self._host = host
        self._importing = importing

    async def list(self, request: Request) -> Reply:  # noqa: ARG002 - a handler's form
        return Reply({"items": [_shown(each) for each in await self._importing.newest()], "next": None})

    async def begin(self, request: Request) -> Reply:
        first = read_day(request.json(_Begin).first)
        made = await self._importing.begin(first, by=request.principal, client=request.client)
        return Reply(_shown(made), status=201)

    async def stop(self, request: Request) -> Reply:
        return await self._set(request, ImportState.STOPPED)

    async def resume(self, request: Request) -> Reply:
        return await self._set(request, ImportState.RUNNING)

    async def _set(self, request: Request, state: ImportState) -> Reply:
        changed = await self._importing.set_state(
            request.path_params["id"], state, by=request.principal, client=request.client
        )
        return Reply(_shown(changed))


def read_day(text: str, field: str = "from") -> date:
    """Raises: InvalidField."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InvalidField(field, N_("a day as 2026-01-31")) from error


def _shown(one: Import) -> Mapping[str, Any]:
    return {
        "id": one.id,
        "from": one.first_day,
        "until": one.last_day,
        "next_day": one.next_day,
        "state": str(one.state),
        "share": round(one.share, 4),
        "found": one.found,
        "changed": one.changed,
        "error": one.error,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
    }


_DAY: Final = {"type": "string", "format": "date"}
_AT: Final = {"type": "string", "format": "date-time"}
_IMPORT: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "from": _DAY,
        "until": _DAY,
        "next_day": _DAY,
        "state": {"type": "string", "enum": [str(each) for each in ImportState]},
        "share": {"type": "number"},
        "found": {"type": "integer"},
        "changed": {"type": "integer"},
        "error": {"type": ["string", "null"]},
        "created_at": _AT,
        "updated_at": _AT,
    },
}


def _answer(description: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_GONE: Final = {"404": {"description": "There is no such import"}, "409": {"description": "One is under way, or done"}}
_LIST: Final = {
    "summary": "Imports of the history of sessions, newest first",
    "responses": {
        "200": _answer("Imports", {"type": "object", "properties": {"items": {"type": "array", "items": _IMPORT}}})
    },
}
_BEGIN: Final = {
    "summary": "Import the history of sessions from a day on",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object", "properties": {"from": _DAY}, "required": ["from"]}}
        },
    },
    "responses": {"201": _answer("It has begun", _IMPORT), "409": {"description": "One is under way"}},
}
_STOP: Final = {"summary": "Stop an import", "responses": {"200": _answer("It is stopped", _IMPORT), **_GONE}}
_RESUME: Final = {
    "summary": "Go on with an import where it stopped",
    "responses": {"200": _answer("It goes on", _IMPORT), **_GONE},
}
