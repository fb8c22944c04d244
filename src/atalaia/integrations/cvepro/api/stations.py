"""The JSON API of charge points that connect straight: which there are, and what they are asked to do."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from atalaia.core.permissions import Permission
from atalaia.integrations.cvepro.model.commands import LIFE_S, Command, CommandState
from atalaia.integrations.cvepro.model.stations import Admission, Station
from atalaia.integrations.cvepro.ocpp.orders import NAMES, read_order
from atalaia.integrations.cvepro.ocpp.straight import Straight
from atalaia.sdk.integration import Host, Reply, Request, Route


class _Order(msgspec.Struct):
    action: str
    connector: int | None = None
    tag: str | None = None


class StationRoutes:
    def __init__(self, host: Host, straight: Straight) -> None:
        self._host = host
        self._admitting = straight.admitting
        self._commanding = straight.commanding

    def routes(self) -> tuple[Route, ...]:
        commands = "/api/cvepro/chargers/{key}/commands"
        return (
            Route("GET", "/api/cvepro/stations", Permission.OVERVIEW_READ, self.list, document=_LIST),
            Route("POST", commands, Permission.DASHBOARDS_WRITE, self.command, document=_COMMAND),
        )

    async def list(self, request: Request) -> Reply:  # noqa: ARG002 - a handler's form
        return Reply({"items": [_shown(each) for each in await self._admitting.all_of_them()], "next": None})

    async def command(self, request: Request) -> Reply:
        """It answers when the charge point has, or when nobody waits any more."""
        order = request.json(_Order)
        action, given = read_order(order.action, {"connector": order.connector, "tag": order.tag})
        by, client = request.principal, request.client
        made = await self._commanding.give(request.path_params["key"], action, given, by=by, client=client)
        ended = await self._commanding.ended(made.id, within_s=LIFE_S)
        return Reply(self._told(ended))

    def _told(self, one: Command) -> Mapping[str, Any]:
        return {
            "id": one.id,
            "chargeBoxId": one.box_id,
            "action": str(one.action),
            "state": str(one.standing(self._host.clock.now())),
            "answer": one.answer,
            "asked_by": one.asked_by,
            "asked_at": one.asked_at,
            "ended_at": one.ended_at,
        }


def _shown(one: Station) -> Mapping[str, Any]:
    return {
        "chargeBoxId": one.box_id,
        "standing": str(one.standing),
        "connected": one.is_connected,
        "client": one.line.client,
        "connected_at": one.line.connected_at if one.is_connected else None,
        "seen_at": one.line.seen_at,
        "booted_at": one.booted_at,
        "boot": one.told,
        "has_password": one.has_password,
        "refused": one.line.refused,
        "refused_at": one.line.refused_at,
        "created_at": one.created_at,
    }


_TEXT: Final = {"type": "string"}
_AT: Final = {"type": ["string", "null"], "format": "date-time"}
_STATION: Final = {
    "type": "object",
    "properties": {
        "chargeBoxId": _TEXT,
        "standing": {"type": "string", "enum": [str(each) for each in Admission]},
        "connected": {"type": "boolean"},
        "client": {"type": ["string", "null"]},
        "connected_at": _AT,
        "seen_at": _AT,
        "booted_at": _AT,
        "boot": {"type": "object"},
        "has_password": {"type": "boolean"},
        "refused": {"type": "integer", "description": "Wrong passwords since the last right one"},
        "refused_at": _AT,
        "created_at": _AT,
    },
}
_ENDED: Final = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "chargeBoxId": _TEXT,
        "action": {"type": "string", "enum": list(NAMES)},
        "state": {"type": "string", "enum": [str(each) for each in CommandState]},
        "answer": {"type": ["string", "null"], "description": "The charge point's word, as Accepted or Rejected"},
        "asked_by": _TEXT,
        "asked_at": _AT,
        "ended_at": _AT,
    },
}


def _answer(description: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_LIST: Final = {
    "summary": "Charge points that connect straight, with how each stands",
    "responses": {
        "200": _answer("Stations", {"type": "object", "properties": {"items": {"type": "array", "items": _STATION}}})
    },
}
_COMMAND: Final = {
    "summary": "Have a charger that connects straight do something; answers within 40 s",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["action"],
                    "properties": {
                        "action": {"type": "string", "enum": list(NAMES)},
                        "connector": {"type": ["integer", "null"], "minimum": 0, "maximum": 1000},
                        "tag": {"type": ["string", "null"], "description": "Whose charging it is; for `start`"},
                    },
                }
            }
        },
    },
    "responses": {
        "200": _answer("What became of it; `no_answer`: it may have been done", _ENDED),
        "404": {"description": "There is no such charger"},
        "409": {"description": "It is not connected, or nothing charges there: nothing was sent"},
        "422": {"description": "A field is wrong"},
    },
}
