"""The hot route's part of the OpenAPI description."""

from typing import Any

_WORD = {"type": "string", "minLength": 1, "maxLength": 200}
_MAY_BE_EMPTY = {"type": "string", "maxLength": 200}
_PING = {
    "type": "object",
    "required": ["timestamp_start", "source", "ping_id"],
    "properties": {
        "timestamp_start": {"type": "string", "format": "date-time"},
        "source": {
            "type": "object",
            "required": ["location", "datacenter", "country"],
            "properties": {"location": _WORD, "datacenter": _MAY_BE_EMPTY, "country": _MAY_BE_EMPTY},
        },
        "ping_id": {"type": "string", "format": "uuid"},
    },
}
_INSTANT = {"type": "string", "format": "date-time"}
_TAKEN = {
    "type": "object",
    "required": [
        "status",
        "ping_id",
        "timestamp_received",
        "timestamp_processed",
        "processing_time_ms",
        "network_rtt_ms",
        "message",
    ],
    "properties": {
        "status": {"type": "string", "enum": ["success"]},
        "ping_id": {"type": "string", "format": "uuid"},
        "timestamp_received": _INSTANT,
        "timestamp_processed": _INSTANT,
        "processing_time_ms": {"type": "number"},
        "network_rtt_ms": {"type": "null"},
        "message": {"type": "string"},
    },
}
_PLAIN = {"type": "object", "required": ["detail"], "properties": {"detail": {"type": "string"}}}
_PROBLEMS = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": "string"}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        }
    },
}
_EITHER = {"type": "object", "required": ["detail"]}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


PING_DOCUMENT: dict[str, Any] = {
    "post": {
        "summary": "Take a ping; the same `ping_id` counts once. Answered after the commit.",
        "operationId": "ReceivePing",
        "tags": ["pings"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _PING}}},
        "responses": {
            "200": _answer("Kept.", _TAKEN),
            "400": _answer("Not JSON.", _EITHER),
            "401": _answer("No key, or one that is not valid.", _PLAIN),
            "403": _answer("The key lacks the scope `ingest` or `agent`.", _PLAIN),
            "405": _answer("Not a POST.", _PLAIN),
            "413": _answer("Over 16 kB.", _PLAIN),
            "415": _answer("Another content type or encoding.", _PLAIN),
            "422": _answer("A wrong field, named by `loc`.", _PROBLEMS),
            "503": _answer("Overloaded; see Retry-After.", _PLAIN),
            "507": _answer("The store is full.", _PLAIN),
        },
    }
}
