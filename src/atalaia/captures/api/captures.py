"""Captures over JSON: import, list, one with its frames, two compared."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.params import FromPath, FromQuery, QueryParameter

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.captures.model.captures import Capture, Imported
from atalaia.captures.model.comparing import ActionDifference
from atalaia.captures.model.importing import MAX_FILE_BYTES
from atalaia.captures.model.recordings import Frame
from atalaia.captures.service import CapturesService
from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.bodies import check_media, read_body
from atalaia.web.cursors import DEFAULT_LIMIT, MAX_LIMIT, Listing

Captures = NamedDependency[CapturesService]
AnyRequest = Request[Any, Any, Any]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, QueryParameter(description="`next` of the page before")]
READ = [requires(Permission.UPSTREAMS_READ)]
WRITE = [requires(Permission.UPSTREAMS_WRITE)]
_KINDS = ("application/json", "application/x-ndjson", "application/octet-stream", "text/plain")
_FILE = RequestBody(
    description="The file as it is: HAR, a net-export log, or lines of the sniffer; at most 64 MB. gzip is unpacked.",
    content={kind: OpenAPIMediaType(schema=Schema()) for kind in _KINDS},
    required=True,
)


class CaptureWithFrames(msgspec.Struct, kw_only=True):
    """`frames` from past `after`; `next` is the number to ask on with."""

    capture: Capture
    frames: list[Frame]
    next: int | None


class DiffOut(msgspec.Struct, kw_only=True):
    a: Capture
    b: Capture
    same: bool
    actions: list[ActionDifference]


class _TakesFile(Operation):
    """The body is no JSON of ours, so the framework can't describe it."""

    def __post_init__(self) -> None:
        self.request_body = _FILE


@get("/api/captures", guards=READ, tags=["captures"], summary="Captures, the newest first")
async def list_captures(
    captures: Captures, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, upstream: FromQuery[str | None] = None
) -> Listing[Capture]:
    items, following = await captures.page(cursor=cursor, limit=limit, upstream=upstream)
    return Listing(items, following)


@post(
    "/api/captures",
    guards=WRITE,
    tags=["captures"],
    summary="Import a capture; its secrets are taken out before anything is kept",
    operation_class=_TakesFile,
    request_max_body_size=None,  # read_body has a limit of its own
)
async def import_capture(
    captures: Captures, request: AnyRequest, upstream: FromQuery[str] = "", name: FromQuery[str] = ""
) -> Response[Imported]:
    scope: Any = request.scope
    check_media(scope, *_KINDS)
    if not upstream:
        raise InvalidField("upstream", N_("say which upstream the capture is of: ?upstream=…"))
    data = await read_body(scope, request.receive, limit=MAX_FILE_BYTES, unpacked_limit=MAX_FILE_BYTES)
    done = await captures.import_file(
        principal_of(request), data, upstream=upstream, name=name, address=client_of(request)
    )
    return Response(done, status_code=201 if done.is_new else 200)


@get("/api/captures/{capture_id:str}", guards=READ, tags=["captures"], summary="One capture with its frames")
async def get_capture(
    captures: Captures,
    capture_id: FromPath[str],
    action: FromQuery[str | None] = None,
    after: Annotated[int, QueryParameter(ge=0, le=2**31 - 1)] = 0,
    limit: Limit = MAX_LIMIT,
) -> CaptureWithFrames:
    capture = await captures.get(capture_id)
    found = await captures.frames(capture.id, action=action, after=after, limit=limit + 1)
    frames = found[:limit]
    return CaptureWithFrames(capture=capture, frames=frames, next=frames[-1].n if len(found) > limit else None)


@delete(
    "/api/captures/{capture_id:str}",
    guards=WRITE,
    status_code=204,
    tags=["captures"],
    summary="Delete a capture; the templates made of it stay",
)
async def delete_capture(captures: Captures, capture_id: FromPath[str], request: AnyRequest) -> None:
    await captures.drop(principal_of(request), capture_id, address=client_of(request))


@get(
    "/api/captures/{a:str}/diff/{b:str}",
    guards=READ,
    tags=["captures"],
    summary="How the frames of capture B depart from those of A, by action",
)
async def diff_captures(captures: Captures, a: FromPath[str], b: FromPath[str]) -> DiffOut:
    of_a, of_b, comparison = await captures.compare(a, b)
    return DiffOut(a=of_a, b=of_b, same=comparison.is_same, actions=comparison.actions)


ROUTES = (list_captures, import_capture, get_capture, delete_capture, diff_captures)
