"""The hot routes' part of the OpenAPI description."""

from typing import Any

_TEXT = {"type": "string"}
_WORD = {"type": "string", "minLength": 1, "maxLength": 200}
_INSTANT = {"type": "string", "format": "date-time"}
_STEP = {
    "type": "object",
    "required": ["n", "name", "state"],
    "properties": {
        "n": {"type": "integer", "minimum": 1},
        "name": _WORD,
        "state": {"type": "string", "enum": ["started", "done", "failed", "irreversible"]},
        "data": {"type": "object", "description": "At most 64 kB"},
        "took_ms": {"type": "integer", "minimum": 0, "maximum": 604_800_000, "description": "Since it began"},
    },
}
_STEPS = {"type": "array", "items": _STEP, "maxItems": 1000}
_JOB = {
    "type": "object",
    "required": ["type", "payload"],
    "properties": {
        "type": _WORD,
        "payload": {"description": "Any JSON up to 1 MB; kept and handed out to the byte"},
        "queue": _WORD | {"default": "default"},
        "priority": {"type": "integer", "minimum": -1000, "maximum": 1000, "default": 0},
        "run_at": {"type": ["string", "null"], "format": "date-time"},
        "unique_key": {"type": ["string", "null"], "minLength": 1, "maxLength": 500},
        "concurrency_key": {"type": ["string", "null"], "minLength": 1, "maxLength": 500},
        "max_attempts": {"type": ["integer", "null"], "minimum": 1, "maximum": 100},
    },
}
_MADE = {"type": "object", "required": ["id", "status"], "properties": {"id": _TEXT, "status": _TEXT}}
_OUTCOME = {
    "type": "string",
    "enum": ["succeeded", "failed", "snoozed", "released", "cancelled", "uncertain"],
}
_ERROR = {
    "type": ["object", "null"],
    "properties": {
        "class": {"type": "string", "maxLength": 200},
        "message": {"type": "string", "maxLength": 8000},
        "retryable": {"type": "boolean", "default": True},
        "retry_after_ms": {"type": ["number", "null"], "minimum": 0},
        "hint": {"type": "string", "maxLength": 8000},
    },
}
_ENDED: dict[str, Any] = {
    "token": _WORD,
    "outcome": _OUTCOME,
    "result": {"description": "Any JSON up to 1 MB"},
    "error": _ERROR,
    "steps": _STEPS,
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 200},
    "description": "The same key and body is the same job; another body is 422",
}


def _answer(description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"description": description} | ({"content": {"application/json": {"schema": schema}}} if schema else {})


def _operation(name: str, summary: str, body: dict[str, Any], responses: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": summary,
        "operationId": name,
        "tags": ["Jobs"],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": responses,
    }


def _items(item: dict[str, Any], *, least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": least, "maxItems": 1000}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


CREATE = _operation(
    "CreateJob",
    "Make a job; answered after the commit",
    _JOB,
    {"201": _answer("Made.", _MADE), "200": _answer("A repeat, by key: the job that there is.", _MADE)},
) | {"parameters": [_KEY]}

BULK = _operation(
    "CreateJobs",
    "Make many jobs; each has its own answer, in order",
    _object(["items"], items=_items({"type": "object"}, least=1)),
    {
        "201": _answer(
            "Made; an item that is wrong has `error`.", _object(["items"], items=_items({"type": "object"}))
        ),
        "200": _answer("A repeat, or none was right.", _object(["items"], items=_items({"type": "object"}))),
    },
) | {"parameters": [_KEY]}

LEASE = _operation(
    "LeaseJobs",
    "Take due jobs, or wait for some; docs/guides/workers.md",
    _object(
        ["worker_id", "types"],
        worker_id=_WORD,
        incarnation={"type": "string", "maxLength": 200},
        types=_items(_WORD, least=1),
        resolves=_items(_WORD),
        max={"type": "integer", "minimum": 1, "maximum": 1000, "default": 1},
        wait_s={"type": "number", "minimum": 0, "maximum": 25, "default": 0},
        ttl_s={"type": "number", "minimum": 1, "maximum": 3600, "default": 30},
        request_id={"type": "string", "maxLength": 200},
        version={"type": "string", "maxLength": 200},
        commit={"type": "string", "maxLength": 200},
    ),
    {
        "200": _answer(
            "Leases.",
            _object(
                ["server_time", "jobs", "worker"], server_time=_INSTANT, jobs=_items({"type": "object"}), worker=_TEXT
            ),
        ),
        "204": _answer("None; the header X-Atalaia-Worker says `drain` or `stop` where the worker is to."),
    },
)

RENEW = _operation(
    "RenewLeases",
    "Keep leases, and tell steps",
    _object(
        ["worker_id", "items"],
        worker_id=_WORD,
        incarnation={"type": "string", "maxLength": 200},
        items=_items(_object(["id", "token"], id=_WORD, token=_WORD, steps=_STEPS)),
    ),
    {
        "200": _answer(
            "Each item `ok`, `cancel` or `lost`; the worker `run`, `drain` or `stop`.",
            _object(["worker", "items"], worker=_TEXT, items=_items({"type": "object"})),
        )
    },
)

COMPLETE = _operation(
    "CompleteJobs",
    "Tell the outcomes of many jobs",
    _object(
        ["items"],
        worker_id={"type": "string", "maxLength": 200},
        items=_items(_object(["id", "token", "outcome"], id=_WORD, **_ENDED)),
    ),
    {
        "200": _answer(
            "Each item 200, 409 (its lease is another's), 410 (ended otherwise) or 422 (other words than before).",
            _object(["items"], items=_items({"type": "object"})),
        )
    },
)
