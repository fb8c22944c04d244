"""The OpenAPI operations of charge points that connect straight."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.integrations.cvepro.model.commands import CommandState
from atalaia.integrations.cvepro.model.stations import Admission
from atalaia.integrations.cvepro.ocpp.orders import NAMES

_TEXT: Final = {"type": "string"}
_AT: Final = {"type": ["string", "null"], "format": "date-time"}
_PROPERTIES: Final[Mapping[str, Any]] = {
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
}
_STATION: Final = {"type": "object", "properties": _PROPERTIES}
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


_PASSWORD: Final = {
    "type": "string",
    "description": "Shown this once; entered into the charger as its authorization key (user name: its id)",
}
_WITH_PASSWORD: Final = {"type": "object", "properties": {**_PROPERTIES, "password": _PASSWORD}}
_NONE: Final = {"description": "There is no such station"}


def _body(properties: Mapping[str, Any], *required: str) -> Mapping[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


ADD: Final = {
    "summary": "Let a charger in before it calls; the answer has its password",
    "requestBody": _body({"chargeBoxId": {**_TEXT, "minLength": 1, "maxLength": 48}}, "chargeBoxId"),
    "responses": {
        "201": _answer("The station, and its password", _WITH_PASSWORD),
        "409": {"description": "There is a station with this id"},
        "422": {"description": "The id can't be one"},
    },
}
ADMIT: Final = {
    "summary": "Let one in that waits or was refused; a password that it had is replaced, or taken away",
    "requestBody": _body({"with_password": {"type": "boolean", "default": True}}),
    "responses": {"200": _answer("The station, with its password where it got one", _WITH_PASSWORD), "404": _NONE},
}
REFUSE: Final = {
    "summary": "End a charger's connection, and keep it out until it is let in",
    "responses": {"200": _answer("The station", _STATION), "404": _NONE},
}
PASSWORD: Final = {
    "summary": "A new password, needed from its next connection on",
    "responses": {"200": _answer("The station, and its password", _WITH_PASSWORD), "404": _NONE},
}
FORGET: Final = {
    "summary": "Forget a station; its sessions stay",
    "responses": {"204": {"description": "It is forgotten"}, "404": _NONE},
}
LIST: Final = {
    "summary": "Charge points that connect straight, with how each stands",
    "responses": {
        "200": _answer("Stations", {"type": "object", "properties": {"items": {"type": "array", "items": _STATION}}})
    },
}
COMMAND: Final = {
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
