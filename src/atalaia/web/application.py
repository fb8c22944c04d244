"""The framework's application, made of what the slices contribute."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from litestar import Litestar, Request, Response, asgi
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.response import Redirect

from atalaia.core.errors import Forbidden, NotFound, Unauthenticated
from atalaia.core.translations import N_
from atalaia.sdk.contribution import Contribution, HotRoute
from atalaia.web.errors import Answer, answer_to
from atalaia.web.live import LiveStreams
from atalaia.web.openapi import Described
from atalaia.web.pages import Pages, locale_of
from atalaia.web.registering import Application
from atalaia.web.static_files import PREFIX as STATIC_PREFIX

MAX_FORM_BYTES = 1_048_576
SIGN_IN = "/sign-in"
# By code, for people: where the error itself has no hint.
_WHAT_NEXT = {
    Forbidden.code: N_("Ask an administrator for a role that may."),
    NotFound.code: N_("It may have been deleted, or the address is not quite right."),
}


def create_application(
    contributions: Sequence[Contribution],
    *,
    pages: Pages,
    live: LiveStreams,
    version: str,
    hot_routes: Sequence[HotRoute],
    middleware: Sequence[Any],
    lifespan: Any,
) -> Litestar:
    """All routes of all slices, one OpenAPI description, one way that errors go out."""
    dependencies: dict[str, Provide] = {"pages": Provide(lambda: pages, sync_to_thread=False)}
    for contribution in contributions:
        dependencies.update(contribution.dependencies)
    static = asgi(STATIC_PREFIX, is_mount=True, copy_scope=True, opt={"public": True})(pages.renderer.static)
    documents = {path: item for part in contributions for path, item in part.documents.items()}
    described = Described(hot_routes, documents)
    return Application(
        route_handlers=[
            static,
            described.route(),
            asgi(live.path, copy_scope=False)(live.handle),
            *(route for part in contributions for route in part.routes),
        ],
        dependencies=dependencies,
        middleware=list(middleware),
        exception_handlers={Exception: _on_error(pages)},
        openapi_config=OpenAPIConfig(title="Atalaia", version=version, path="/openapi", render_plugins=[described]),
        request_max_body_size=MAX_FORM_BYTES,
        lifespan=[lifespan],
        debug=False,
        logging_config=None,
    )


def _on_error(pages: Pages) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        translator = pages.renderer.translations.translator(locale_of(request))
        answer = answer_to(error, translator)
        if not _wants_page(request):
            return _json(request, answer)
        if isinstance(error, Unauthenticated) and request.method == "GET" and "hx-request" not in request.headers:
            return Redirect(f"{SIGN_IN}?{_next(request)}", status_code=303)
        return _error_page(request, pages, answer)

    return handle


def _json(request: Request[Any, Any, Any], answer: Answer) -> Response[bytes]:
    body = answer.body(request.scope["state"]["request_id"])
    return Response(body, status_code=answer.status, media_type="application/json", headers=_headers(answer))


def _error_page(request: Request[Any, Any, Any], pages: Pages, answer: Answer) -> Response[str]:
    locale = locale_of(request)
    translate = pages.renderer.translations.translator(locale).translate
    is_not_theirs = answer.code == Forbidden.code
    lead = answer.hint or (translate(_WHAT_NEXT[answer.code]) if answer.code in _WHAT_NEXT else None)
    html = pages.renderer.page(
        "web/error.html",
        locale=locale,
        timezone=None,
        status=answer.status,
        # The name of a permission is for those who write programs.
        title=translate(N_("You may not do this")) if is_not_theirs else answer.message,
        lead=lead,
        detail=answer.message if is_not_theirs else None,
        request_id=request.scope["state"]["request_id"],
    )
    return Response(html, status_code=answer.status, media_type="text/html", headers=_headers(answer))


def _headers(answer: Answer) -> Mapping[str, str]:
    if answer.retry_after_s is None:
        return {}
    return {"retry-after": str(max(1, round(answer.retry_after_s)))}


def _wants_page(request: Request[Any, Any, Any]) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _next(request: Request[Any, Any, Any]) -> str:
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return urlencode({"next": path})
