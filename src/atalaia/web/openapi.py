"""The description of the JSON API at /openapi.json: the framework's, the hot routes', and the errors that all share."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from litestar import MediaType, Request, get
from litestar.openapi.plugins import OpenAPIRenderPlugin

from atalaia.core.permissions import Permission
from atalaia.sdk.contribution import HotRoute

_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "hint", "request_id"],
            "properties": {
                "code": {"type": "string", "description": "Stable, for scripts: docs/reference/errors.md"},
                "message": {"type": "string", "description": "For people, in their language"},
                "hint": {"type": ["string", "null"], "description": "What to do next"},
                "field": {"type": "string", "description": "Which field is wrong"},
                "request_id": {"type": "string", "description": "Finds the request in the log"},
            },
        }
    },
}
_WORDS: Final = {
    "400": "The request can't be read",
    "401": "No key, or a wrong one",
    "403": "The key or person lacks the permission",
    "404": "There is no such thing",
    "405": "This address does not take that method",
    "409": "It contradicts what is there",
    "413": "The body is too large",
    "415": "This content type is not taken",
    "422": "A field is wrong; `field` names it",
    "429": "Too many requests; Retry-After says when",
    "503": "The store can't be written to now; Retry-After says when",
    "507": "The store's disk is full",
}
_ALWAYS: Final = ("400", "401", "403", "405", "422", "429", "503")
_OF_WRITES: Final = ("409", "413", "415", "507")
_METHODS: Final = frozenset({"get", "post", "put", "patch", "delete"})
_SECURITY: Final[list[dict[str, list[str]]]] = [{"bearer": []}, {"apiKey": []}]
_SCHEMES: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def describe(
    framework: Mapping[str, Any], hot_routes: Sequence[HotRoute], documents: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The whole description as a JSON value; `documents` are path items of routes that the framework can't describe."""
    schema: dict[str, Any] = copy.deepcopy(dict(framework))
    paths: dict[str, Any] = schema.setdefault("paths", {})
    for route in hot_routes:
        for path, item in route.document.items():
            own = copy.deepcopy(dict(item))
            if route.permission is not Permission.PUBLIC:
                for operation in _operations(own):
                    operation.setdefault("security", _SECURITY)
            paths.setdefault(path, {}).update(own)
    for path, item in (documents or {}).items():
        paths.setdefault(path, {}).update(copy.deepcopy(dict(item)))
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _ERROR
    components["securitySchemes"] = _SCHEMES
    for path, item in paths.items():
        if path.startswith("/api/"):
            for method in _METHODS & set(item):
                _add_errors(item[method], is_write=method != "get", has_id="{" in path)
    return schema


def _operations(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [operation for method, operation in item.items() if method in _METHODS]


def _add_errors(operation: dict[str, Any], *, is_write: bool, has_id: bool) -> None:
    operation.setdefault("security", _SECURITY)
    responses = operation.setdefault("responses", {})
    # The framework's own 400 is of another form than ours.
    statuses = [*_ALWAYS, *(_OF_WRITES if is_write else ()), *(("404",) if has_id else ())]
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status in statuses:
        if (
            status not in responses
            or "ValidationException" in str(responses[status])
            or "status_code" in str(responses[status])
        ):
            responses[status] = {"description": _WORDS[status], "content": content}


class Described(OpenAPIRenderPlugin):
    """The description, made once. The framework serves it below /openapi; `route` is the address that we promise."""

    def __init__(self, hot_routes: Sequence[HotRoute], documents: Mapping[str, Any] | None = None) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)
        self._hot_routes = hot_routes
        self._documents = documents
        self._made: bytes | None = None

    def route(self) -> Any:
        @get("/openapi.json", include_in_schema=False, sync_to_thread=False, media_type=MediaType.JSON)
        def show(request: Request[Any, Any, Any]) -> bytes:
            return self.render(request, request.app.openapi_schema.to_schema())

        return show

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002 - the base class's form
        if self._made is None:
            self._made = msgspec.json.encode(describe(openapi_schema, self._hot_routes, self._documents))
        return self._made
