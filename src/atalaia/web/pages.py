"""Pages: a template and what every page shows, for the one who asks."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from litestar import Request, Response
from litestar.enums import MediaType
from litestar.response import Redirect

from atalaia.core.permissions import Principal
from atalaia.core.translations import Locale, Translator, choose_locale
from atalaia.sdk.contribution import NavItem
from atalaia.web.navigation import navigation
from atalaia.web.rendering import Renderer

# Rows of a context from which on a page is rendered in a thread, so that it doesn't hold up the loop.
THREAD_FROM_ROWS = 50

AnyRequest = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Banner:
    """Something that every page says at its top. `kind` is info, warning or danger; the worst is shown first."""

    kind: str
    text: str
    hint: str | None = None
    href: str | None = None
    action: str | None = None


LANGUAGE_COOKIE = "lang"
# Both are written by static/js/theme.js: this browser's theme, and the zone that it says it is in.
THEME_COOKIE = "atalaia_theme"
TIMEZONE_COOKIE = "atalaia_timezone"
LANGUAGE_TTL_S = 365 * 86400
_URGENCY = {"danger": 0, "warning": 1, "info": 2}

BannerSource = Callable[[Principal, Translator], Sequence[Banner]]


def viewer_of(request: AnyRequest) -> Principal | None:
    """The signed-in person (or key) of a request; None for nobody."""
    viewer: Principal | None = request.scope.get("state", {}).get("principal")
    return viewer


def locale_of(request: AnyRequest) -> Locale:
    """A choice in the address (`?lang=`), then the person's, then this browser's last choice, then what it asks for."""
    viewer = viewer_of(request)
    chosen = (
        request.query_params.get("lang") or (viewer.locale if viewer else None) or request.cookies.get(LANGUAGE_COOKIE)
    )
    return choose_locale(request.headers.get("accept-language"), chosen=chosen)


def zone_of(request: AnyRequest) -> str | None:
    return unquote(request.cookies.get(TIMEZONE_COOKIE, "")) or None


@dataclass(frozen=True, slots=True)
class Reading:
    """Who a part is made for, where it is made for all of them at once."""

    locale: Locale
    timezone: str
    viewer: Principal


class Pages:
    """One for the process; slices render their pages with it.

    Banner sources are asked for every whole page: they must be quick and not touch the store.
    """

    def __init__(self, renderer: Renderer, *, version: str, default_timezone: Callable[[], str]) -> None:
        self._renderer = renderer
        self._version = version
        self._default_timezone = default_timezone
        self.nav: list[NavItem] = []
        self.banners: list[BannerSource] = []
        self.audit_words: dict[str, str] = {}  # action -> English

    @property
    def renderer(self) -> Renderer:
        return self._renderer

    def translator(self, request: AnyRequest) -> Translator:
        return self._renderer.translations.translator(locale_of(request))

    def timezone_of(self, request: AnyRequest) -> str:
        """The reader's zone: their own choice, their browser's, or the hub's."""
        viewer = viewer_of(request)
        return (viewer.timezone if viewer else None) or zone_of(request) or self._default_timezone()

    async def page(
        self, request: AnyRequest, template: str, *, status: int = 200, rows: int = 0, **context: Any
    ) -> Response[str]:
        """A whole page. `rows` is how many rows it shows, for the choice of where to render."""
        viewer = viewer_of(request)
        translator = self.translator(request)
        frame = {
            "viewer": viewer,
            "nav": navigation(self.nav, viewer=viewer, path=request.url.path, translator=translator),
            "csrf_token": request.scope["state"].get("csrf_token", ""),
            "banners": self._banners(viewer, translator),
            "version": self._version,
        }
        return await self._respond(request, template, status, rows, {**frame, **context})

    async def fragment(
        self, request: AnyRequest, template: str, *, status: int = 200, rows: int = 0, **context: Any
    ) -> Response[str]:
        """A part of a page, fetched anew by htmx; its template does not extend the layout."""
        csrf = {"csrf_token": request.scope["state"].get("csrf_token", ""), "viewer": viewer_of(request)}
        return await self._respond(request, template, status, rows, {**csrf, **context})

    async def part(self, template: str, reading: Reading, *, rows: int = 0, **context: Any) -> str:
        """A part of a page without a request: the same for all who read alike. A form in it would have no proof."""
        values = {"csrf_token": "", "viewer": reading.viewer, **context}
        render = partial(
            self._renderer.page, template, locale=reading.locale, timezone=reading.timezone, theme=None, **values
        )
        return await asyncio.to_thread(render) if rows >= THREAD_FROM_ROWS else render()

    def _banners(self, viewer: Principal | None, translator: Translator) -> list[Banner]:
        if viewer is None:
            return []
        shown = [banner for source in self.banners for banner in source(viewer, translator)]
        return sorted(shown, key=lambda banner: _URGENCY[banner.kind])

    async def _respond(
        self, request: AnyRequest, template: str, status: int, rows: int, context: dict[str, Any]
    ) -> Response[str]:
        if rows >= THREAD_FROM_ROWS:
            html = await asyncio.to_thread(self._render, request, template, context)
        else:
            html = self._render(request, template, context)
        response = html_response(html, status=status)
        if "lang" in request.query_params:
            response.set_cookie(
                LANGUAGE_COOKIE, locale_of(request), max_age=LANGUAGE_TTL_S, samesite="lax", httponly=True
            )
        return response

    def _render(self, request: AnyRequest, template: str, context: dict[str, Any]) -> str:
        viewer = viewer_of(request)
        return self._renderer.page(
            template,
            locale=locale_of(request),
            timezone=self.timezone_of(request),
            theme=request.cookies.get(THEME_COOKIE) or (viewer.theme if viewer else None),
            **context,
        )


def html_response(html: str, *, status: int = 200) -> Response[str]:
    return Response(html, status_code=status, media_type=MediaType.HTML, headers={"cache-control": "no-store"})


def see_other(address: str) -> Redirect:
    """After a form was taken: the browser asks for `address` with GET."""
    return Redirect(address, status_code=303)
