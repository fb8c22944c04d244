"""Routes and pages of integrations, as the framework takes them."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec
from litestar import Response, Router
from litestar.handlers import HTTPRouteHandler
from litestar.response import Stream

from atalaia.access.guards import requires
from atalaia.access.uploads import STATE as UPLOADED
from atalaia.access.uploads import UploadedForm, takes_upload
from atalaia.app.keyless import RequiresKeyOrNetwork
from atalaia.app.shared_parts import SharedParts, nameless
from atalaia.core.errors import AtalaiaError, ConfigError, NotFound
from atalaia.core.permissions import Permission, Principal
from atalaia.sdk.integration import EventStream, Method, Page, Reply, Request, Route, View
from atalaia.web.live import BEAT_S
from atalaia.web.pages import AnyRequest, Pages, Reading, html_response, locale_of, see_other

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_UNNAMED: Final = re.compile(r"\{[^}]*\}")
_SSE: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
# Who asks for what is open to all, without a key or an account.
NOBODY: Final = Principal(id="", kind="nobody", name="", permissions=frozenset({Permission.PUBLIC}))
_UPSTREAM_ANSWERS: Final = {"502": {"description": "The upstream refused, or was not understood"}}


class OpenStreams:
    """Event streams of integrations: ended at a stop, so that the server need not wait for their readers."""

    def __init__(self) -> None:
        self._ends: set[asyncio.Event] = set()

    def release(self) -> None:
        for end in self._ends:
            end.set()

    async def lines(self, events: AsyncIterator[tuple[str, Any]]) -> AsyncIterator[bytes]:
        """Server-sent events, with a beat where nothing is said for long; until `events` ends, or the hub stops."""
        end = asyncio.Event()
        self._ends.add(end)
        ended = asyncio.ensure_future(end.wait())
        upcoming: asyncio.Future[Any] | None = None
        try:
            yield b"retry: 1000\n\n"
            while True:
                upcoming = upcoming or asyncio.ensure_future(anext(events, None))
                await asyncio.wait({upcoming, ended}, timeout=BEAT_S, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    return
                if not upcoming.done():
                    yield b"event: beat\ndata: {}\n\n"
                    continue
                event, upcoming = upcoming.result(), None
                if event is None:
                    return
                yield b"event: %s\ndata: %s\n\n" % (event[0].encode(), msgspec.json.encode(event[1]))
        finally:
            self._ends.discard(end)
            ended.cancel()
            if upcoming is not None:
                upcoming.cancel()
                await asyncio.wait({upcoming})
            if isinstance(events, AsyncGenerator):
                await events.aclose()


def route_handler(route: Route, *, networks: Callable[[str], Sequence[str]], streams: OpenStreams) -> HTTPRouteHandler:
    async def answer(request: AnyRequest) -> Response[Any]:
        given = await route.handle(await request_of(request))
        if isinstance(given, EventStream):
            return Stream(streams.lines(given.events), media_type="text/event-stream", headers=_SSE, status_code=200)
        return _response(given)

    setting = route.keyless_networks
    guard = (
        RequiresKeyOrNetwork(route.permission, networks=lambda: networks(setting))
        if setting is not None
        else requires(route.permission)
    )
    return HTTPRouteHandler(
        _path(route.path), http_method=route.method, guards=[guard], include_in_schema=False, status_code=200
    )(answer)


@dataclass(frozen=True, slots=True)
class Making:
    """What pages are made with; `shared`: those parts that are made once for many."""

    pages: Pages
    shared: SharedParts


def page_handlers(page: Page, *, name: str, making: Making) -> list[HTTPRouteHandler]:
    """Raises: ConfigError: the page is not below its integration's address, or what is shared has a form."""
    _check(page, name)
    take, pages = page.submit, making.pages

    async def show(request: AnyRequest) -> Response[Any]:
        if page.shared_until and "lang" not in request.query_params:
            return await _shared(request, page, name=name, making=making)
        # A page that is asked for brings no body; reading it would fail, loudly, where the reader has left meanwhile.
        asked = await request_of(request, reads_body=False, timezone=pages.timezone_of(request))
        return await _shown(request, await page.show(asked), name=name, pages=pages)

    async def submit(request: AnyRequest) -> Response[Any]:
        if take is None:
            raise NotFound("this page has no form")
        asked = await request_of(request, reads_body=False, timezone=pages.timezone_of(request))
        if page.max_file_bytes is None:
            form = {key: str(value) for key, value in (await request.form()).items()}
        else:
            uploaded: UploadedForm = request.scope["state"].pop(UPLOADED)
            form, asked = uploaded.fields, replace(asked, files=uploaded.files)
        given = await take(asked, form)
        if isinstance(given, View):
            return await _shown(request, given, name=name, pages=pages, status=given.status or 422)
        return see_other(_local(given))

    def handler(method: Method, guard: requires, **limits: Any) -> HTTPRouteHandler:
        return HTTPRouteHandler(_path(page.path), http_method=method, guards=[guard], include_in_schema=False, **limits)

    handlers = [handler("GET", requires(page.permission))(show)]
    if take is not None:
        permission, most = page.submit_permission or page.permission, page.max_file_bytes
        if most is None:
            handlers.append(handler("POST", requires(permission))(submit))
        else:  # the guard reads the form, with its own limit
            guard = takes_upload(permission, max_bytes=most)
            handlers.append(handler("POST", guard, request_max_body_size=None)(submit))
    return handlers


def _check(page: Page, name: str) -> None:
    if page.path != f"/{name}" and not page.path.startswith(f"/{name}/"):
        raise ConfigError(f"the page {page.path} is not below /{name}")
    if page.shared_until and page.submit is not None:
        raise ConfigError(f"the page {page.path} has a form, and can't be the same for all")


def documents(routes: Sequence[Route], *, title: str) -> dict[str, dict[str, Any]]:
    """Their part of the OpenAPI description: path -> path item."""
    found: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation: dict[str, Any] = {"summary": f"{title}: {route.method} {route.path}", "tags": [title]}
        operation |= dict(route.document)
        operation["responses"] = {**_UPSTREAM_ANSWERS, **operation.get("responses", {})}
        names = [part.partition("}")[0].partition(":")[0] for part in route.path.split("{")[1:]]
        described = {each.get("name") for each in operation.get("parameters", ())}
        operation["parameters"] = [
            *operation.get("parameters", ()),
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in names
                if name not in described
            ),
        ]
        found.setdefault(route.path, {})[route.method.lower()] = operation
    return found


def unnamed(path: str) -> str:
    """`/api/jobs/{}`: parameters by whatever name are the same address."""
    return _UNNAMED.sub("{}", path)


def addresses_of(routes: Iterable[Any]) -> set[tuple[str, str]]:
    """Method and path of each, with parameters unnamed."""
    found: set[tuple[str, str]] = set()
    for handler in Router("/", route_handlers=[*routes]).routes:
        path = unnamed(handler.path_format)
        found |= {(str(method), path) for method in getattr(handler, "methods", ()) if method != "OPTIONS"}
    return found


async def request_of(request: AnyRequest, *, reads_body: bool = True, timezone: str = "UTC") -> Request:
    state: Mapping[str, Any] = request.scope["state"]
    return Request(
        method=str(request.method),
        path=request.url.path,
        path_params={key: str(value) for key, value in request.path_params.items()},
        query=dict(request.query_params.items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=await request.body() if reads_body else b"",  # a form is read already
        principal=state["principal"] or NOBODY,
        client=state.get("client"),
        locale=locale_of(request),
        timezone=timezone,
    )


def _response(reply: Reply) -> Response[Any]:
    body = reply.body
    content = b"" if body is None else body if isinstance(body, bytes) else msgspec.json.encode(body)
    if body is None and reply.status in {204, 304}:
        return Response(None, status_code=reply.status, headers=dict(reply.headers))
    return Response(content, status_code=reply.status, media_type=reply.content_type, headers=dict(reply.headers))


async def _shared(request: AnyRequest, page: Page, *, name: str, making: Making) -> Response[str]:
    """Made for nobody by name: neither the page's handler nor its template is told who asks."""
    viewer = nameless(request.scope["state"]["principal"] or NOBODY)
    reader = Reading(locale_of(request), making.pages.timezone_of(request), viewer)

    async def make() -> str:
        asked = await request_of(request, reads_body=False, timezone=reader.timezone)
        view = await page.show(replace(asked, headers={}, principal=viewer, client=None))
        if not view.is_part:
            raise AtalaiaError(f"{page.path} is shared, and gives no part of a page")
        rows, values = _values_of(view, name)
        return await making.pages.part(view.template, reader, rows=rows, **values)

    # Its path has the parameters; the query is taken to the letter.
    key = (request.scope["path"], request.scope["query_string"], reader)
    html = await making.shared.html(key, page.shared_until, make)
    return html_response(html)


def _values_of(view: View, name: str) -> tuple[int, dict[str, Any]]:
    if not view.template.startswith(f"{name}/"):
        raise AtalaiaError(f"the template {view.template} is not of the integration {name}")
    values = {key: value for key, value in view.values.items() if key != "rows"} | {"is_part": view.is_part}
    return int(view.values.get("rows", 0) or 0), values


async def _shown(request: AnyRequest, view: View, *, name: str, pages: Pages, status: int = 200) -> Response[str]:
    rows, values = _values_of(view, name)
    if view.is_part:
        return await pages.fragment(request, view.template, status=status, rows=rows, **values)
    title = pages.translator(request).translate(view.title)
    return await pages.page(request, view.template, status=status, title=title, rows=rows, **values)


def _local(address: str) -> str:
    if not address.startswith("/") or address.startswith("//"):
        raise AtalaiaError("a form leads to an address of this hub")
    return address


def _path(path: str) -> str:
    """`/api/jobs/{id}` in the framework's words: `/api/jobs/{id:str}`."""
    return _PARAMETER.sub(r"{\1:str}", path)
