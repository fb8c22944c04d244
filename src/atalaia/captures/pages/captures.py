"""The list of captures with its import, and one capture with its frames by action."""

from typing import Annotated, Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.access.uploads import STATE, UploadedForm, takes_upload
from atalaia.captures.model.har import HOW_TO_EXPORT
from atalaia.captures.model.importing import MAX_FILE_BYTES
from atalaia.captures.model.net_export import HOW_TO_RECORD
from atalaia.captures.model.recordings import Format
from atalaia.captures.model.snippet import snippet
from atalaia.captures.service import CapturesService
from atalaia.core.errors import AtalaiaError, InvalidField, TooLarge
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.pages import Pages, see_other

AnyRequest = Request[Any, Any, Any]
ThePages = NamedDependency[Pages]
Captures = NamedDependency[CapturesService]
Cursor = Annotated[str | None, QueryParameter()]
After = Annotated[int, QueryParameter(ge=0, le=2**31 - 1)]
READ = [requires(Permission.UPSTREAMS_READ)]
WRITE = [requires(Permission.UPSTREAMS_WRITE)]
TAKES_FILE = takes_upload(Permission.UPSTREAMS_WRITE, max_bytes=MAX_FILE_BYTES)
PAGE_ROWS: Final = 50
PAGE_FRAMES: Final = 60
MOST_SHOWN: Final = 20_000  # characters of one frame
FORMATS: Final[dict[Format, str]] = {
    "har": "HAR",
    "net-export": N_("net-export log"),
    "sniffer": N_("lines of the sniffer"),
}


async def _listed(request: AnyRequest, captures: CapturesService, cursor: str | None, upstream: str) -> dict[str, Any]:
    found, following = await captures.page(cursor=cursor, limit=PAGE_ROWS, upstream=upstream)
    return {
        "captures": found,
        "next": following,
        "params": dict(request.query_params),
        "formats": FORMATS,
        "titles": dict(captures.upstreams()),
        "rows": len(found),
    }


@get("/captures", guards=READ, include_in_schema=False)
async def captures_page(
    request: AnyRequest, pages: ThePages, captures: Captures, cursor: Cursor = None, upstream: FromQuery[str] = ""
) -> Response[str]:
    return await _list_page(request, pages, captures, cursor=cursor, upstream=upstream)


@get("/captures/rows", guards=READ, include_in_schema=False)
async def captures_rows(
    request: AnyRequest, pages: ThePages, captures: Captures, cursor: Cursor = None, upstream: FromQuery[str] = ""
) -> Response[str]:
    listed = await _listed(request, captures, cursor, upstream)
    return await pages.fragment(request, "captures/_rows.html", **listed)


@post("/captures", guards=[TAKES_FILE], include_in_schema=False, request_max_body_size=None)
async def import_form(request: AnyRequest, pages: ThePages, captures: Captures) -> Response[str] | Redirect:
    upload: UploadedForm = request.scope["state"].pop(STATE)
    fields = upload.fields
    try:
        done = await captures.import_file(
            principal_of(request),
            _file_of(upload),
            upstream=fields.get("upstream", ""),
            name=fields.get("name", ""),
            address=client_of(request),
        )
    except (InvalidField, TooLarge) as error:
        return await _list_page(request, pages, captures, values=fields, error=error)
    return see_other(f"/captures/{done.capture.id}{'' if done.is_new else '?known=1'}")


@get("/captures/{capture_id:str}", guards=READ, include_in_schema=False)
async def capture_page(
    request: AnyRequest,
    pages: ThePages,
    captures: Captures,
    capture_id: FromPath[str],
    action: FromQuery[str | None] = None,
    after: After = 0,
    known: FromQuery[str] = "",
) -> Response[str]:
    capture = await captures.get(capture_id)
    counts = await captures.counts(capture.id)
    frames = []
    if action is not None:
        frames = await captures.frames(capture.id, action=action, after=after, limit=PAGE_FRAMES + 1)
    others, _ = await captures.page(cursor=None, limit=PAGE_ROWS, upstream=capture.upstream)
    return await pages.page(
        request,
        "captures/capture.html",
        title=capture.name,
        rows=len(frames),
        capture=capture,
        counts=counts,
        action=action,
        frames=frames[:PAGE_FRAMES],
        after=frames[PAGE_FRAMES - 1].n if len(frames) > PAGE_FRAMES else None,
        others=[each for each in others if each.id != capture.id],
        formats=FORMATS,
        title_of=dict(captures.upstreams()),
        is_known=bool(known),
        most_shown=MOST_SHOWN,
    )


@post("/captures/{capture_id:str}/delete", guards=WRITE, include_in_schema=False)
async def delete_form(request: AnyRequest, captures: Captures, capture_id: FromPath[str]) -> Redirect:
    await captures.drop(principal_of(request), capture_id, address=client_of(request))
    return see_other("/captures")


def _file_of(upload: UploadedForm) -> bytes:
    found = upload.files.get("file")
    if found is None or not found.content:
        raise InvalidField("file", N_("choose a file"))
    return found.content


async def _list_page(
    request: AnyRequest,
    pages: Pages,
    captures: CapturesService,
    *,
    cursor: str | None = None,
    upstream: str = "",
    values: dict[str, str] | None = None,
    error: AtalaiaError | None = None,
) -> Response[str]:
    translate = pages.translator(request).translate
    errors, hint = {}, None
    if error is not None:
        field = error.field if isinstance(error, InvalidField) else "file"
        errors = {field: translate(error.message, **dict[str, Any](error.params))}
        hint = translate(error.hint) if error.hint else None
    return await pages.page(
        request,
        "captures/captures.html",
        status=422 if error is not None else 200,
        title=translate("Captures"),
        values={"upstream": upstream, "name": "", **(values or {})},
        errors=errors,
        error_hint=hint,
        upstream_options=list(captures.upstreams().items()),
        how_to_export=translate(HOW_TO_EXPORT),
        how_to_record=translate(HOW_TO_RECORD),
        snippet=snippet(),
        **await _listed(request, captures, cursor, upstream),
    )


ROUTES = (captures_page, captures_rows, import_form, capture_page, delete_form)
