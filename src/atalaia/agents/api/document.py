"""The hot routes' part of the OpenAPI description, made from the types that they are read with."""

from typing import Any

import msgspec

from atalaia.agents.model.wire import Batch, Plan, PlanQuestion, Receipt

_STEM = "#/components/schemas/"


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """References resolved in place: a path item brings no components of its own."""
    if isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str):
            return _inlined(definitions[reference.removeprefix(_STEM)], definitions)
        kept = {key: value for key, value in schema.items() if key != "discriminator"}
        return {key: _inlined(value, definitions) for key, value in kept.items()}
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    return schema


def schema_of(kind: Any) -> dict[str, Any]:
    (schema,), definitions = msgspec.json.schema_components([kind], ref_template=_STEM + "{name}")
    inlined: dict[str, Any] = _inlined(schema, definitions)
    return inlined


def _json(kind: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema_of(kind)}}


_ERROR = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["error"],
            "properties": {
                "error": {
                    "type": "object",
                    "required": ["code", "message", "hint", "request_id"],
                    "properties": {
                        "code": {"type": "string"},
                        "message": {"type": "string"},
                        "hint": {"type": ["string", "null"]},
                        "request_id": {"type": "string"},
                        "field": {"type": "string"},
                    },
                }
            },
        }
    }
}
_REFUSALS = {
    "400": "Not JSON, or not what its encoding says.",
    "401": "No key, or one that is not valid.",
    "403": "The key lacks the scope, or the agent was retired.",
    "405": "Not a POST.",
    "413": "Too large.",
    "415": "Another content type or encoding.",
    "422": "A wrong field.",
    "429": "One key, too many agents.",
    "503": "Overloaded; see Retry-After.",
    "507": "The store is full.",
}


def _operation(summary: str, *, question: Any, answers: dict[str, Any]) -> dict[str, Any]:
    refusals = {status: {"description": text, "content": _ERROR} for status, text in _REFUSALS.items()}
    return {
        "post": {
            "summary": summary,
            "tags": ["agents"],
            "requestBody": {"required": True, "content": _json(question)},
            "responses": {**answers, **refusals},
        }
    }


PLAN_DOCUMENT = _operation(
    "What an agent has to measure; waits up to `wait_s` for a change of the plan that `etag` names.",
    question=PlanQuestion,
    answers={
        "200": {"description": "The plan.", "content": _json(Plan)},
        "204": {"description": "Nothing changed within `wait_s`."},
    },
)
RECORDS_DOCUMENT = _operation(
    "Records of an agent; each counts once, however often it is sent. Answered after the commit.",
    question=Batch,
    answers={"200": {"description": "Kept.", "content": _json(Receipt)}},
)
