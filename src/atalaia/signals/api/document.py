"""What the framework can't tell of these routes in the OpenAPI description."""

from dataclasses import dataclass
from typing import Any

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

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


# -- routes that read their body as it came


def _text(words: str = "", *, most: int = 200) -> Schema:
    return Schema(type=OpenAPIType.STRING, min_length=1, max_length=most, description=words or None)


_NONE = OpenAPIType.NULL
_JOB = Schema(
    type=OpenAPIType.OBJECT,
    required=["type", "payload"],
    description="For the task `job`",
    properties={
        "type": _text(),
        "payload": Schema(description="Any JSON up to 1 MB; kept and handed out to the byte"),
        "queue": _text(),
        "priority": Schema(type=OpenAPIType.INTEGER, minimum=-1000, maximum=1000),
        "concurrency_key": Schema(type=[OpenAPIType.STRING, _NONE], min_length=1, max_length=500),
    },
)
_WEBHOOK = Schema(
    type=OpenAPIType.OBJECT,
    required=["url"],
    description="For the task `webhook`",
    properties={
        "url": _text(most=2000),
        "secret": Schema(type=[OpenAPIType.STRING, _NONE], min_length=16, max_length=500),
    },
)
_PROPERTIES = {
    "task": _text("`<integration>.<task>`, `job`, `webhook` or `command`: GET /api/signal-tasks"),
    "min_interval_s": Schema(type=OpenAPIType.NUMBER, minimum=0, maximum=86_400, description="1.5 unless said"),
    "expect_every_s": Schema(
        type=[OpenAPIType.NUMBER, _NONE],
        exclusive_minimum=0,
        maximum=86_400,
        description="How often its sender sends, so that one that falls silent is noticed",
    ),
    "cron": Schema(type=[OpenAPIType.STRING, _NONE], min_length=1, max_length=200, description="Five fields"),
    "timezone": _text("Of `cron`", most=100),
    "runs_missed": Schema(type=OpenAPIType.BOOLEAN, description="One run for all slots that passed while no hub ran"),
    "is_paused": Schema(type=OpenAPIType.BOOLEAN),
    "job": _JOB,
    "webhook": _WEBHOOK,
    "command": _text("For the task `command`: a name of the setting signals.commands"),
}


def _body(schema: Schema) -> RequestBody:
    return RequestBody(required=True, content={"application/json": OpenAPIMediaType(schema=schema)})


@dataclass
class Creating(Operation):
    """POST /api/signals."""

    def __post_init__(self) -> None:
        properties = {"name": _text("Part of its address and of its keys' scope", most=100), **_PROPERTIES}
        self.request_body = _body(
            Schema(type=OpenAPIType.OBJECT, required=["name", "task"], properties=properties)  # type: ignore[arg-type]  # a dict is invariant
        )


@dataclass
class Changing(Operation):
    """PATCH /api/signals/{name}."""

    def __post_init__(self) -> None:
        self.request_body = _body(Schema(type=OpenAPIType.OBJECT, properties=_PROPERTIES))  # type: ignore[arg-type]  # as above
