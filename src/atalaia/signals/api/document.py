"""The hot route's part of the OpenAPI description."""

from typing import Any

_ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}
_SAID = {
    "type": "object",
    "required": ["status", "message"],
    "properties": {
        "status": {"type": "string", "enum": ["processing", "skipped", "throttled"]},
        "message": {"type": "string"},
    },
}
_BODY = {
    "type": "object",
    "properties": {
        "timestamp": {"description": "The sender's clock; not used"},
        "source": {"description": "Who says it; shown with the run"},
    },
}


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _operation(name: str) -> dict[str, Any]:
    return {
        "summary": "Look now: begin a run of the signal's task, unless one is under way or began a moment ago",
        "operationId": name,
        "tags": ["Signals"],
        "requestBody": {"required": False, "content": {"application/json": {"schema": _BODY}}},
        "responses": {
            "202": _answer("A run has begun, and is on record.", _SAID),
            "200": _answer("A run is under way, on whichever hub.", _SAID),
            "400": _answer("A body that is no JSON object; none at all is fine.", _ERROR),
            "401": _answer("No key, or one that is not valid.", _ERROR),
            "403": _answer("The key is not this signal's.", _ERROR),
            "404": _answer("There is no such signal.", _ERROR),
            "405": _answer("Not a POST.", _ERROR),
            "409": _answer("The signal is paused.", _ERROR),
            "413": _answer("Over 16 kB.", _ERROR),
            "415": _answer("An encoding other than gzip.", _ERROR),
            "422": _answer("Not used.", _ERROR),
            "429": _answer("The last run began too short a while ago; see Retry-After.", _SAID),
            "500": _answer("What went wrong, with an id to find it in the log.", _ERROR),
            "503": _answer("The store can't be written to now; see Retry-After.", _ERROR),
            "507": _answer("The store's disk is full.", _ERROR),
        },
    }


SEND = _operation("SendSignal") | {
    "parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]
}


def kept(path: str) -> dict[str, Any]:
    """Of a kept address."""
    words = "".join(part.capitalize() for part in path.replace("-", "/").split("/") if part)
    return _operation(f"SendSignal{words}")
