"""The outermost application: every request passes here first.

It gives each request an id, finds the client's address, sends hot addresses straight to their raw handlers and the rest to
the framework, and turns whatever is raised on the way into an answer.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from atalaia.core.errors import AtalaiaError, BadInput, NotFound, UnsupportedMedia
from atalaia.core.translations import N_, Translations, choose_locale
from atalaia.sdk.contribution import AsgiHandler, HotRoute
from atalaia.web.addresses import TrustedProxies, header
from atalaia.web.answers import JSON, send_bytes
from atalaia.web.errors import answer_to
from atalaia.web.security import SecureHeaders
from atalaia.web.sockets import SocketDoor

log = structlog.get_logger()


class RequestIds:
    """Unique ids that cost next to nothing: a random part for the process, then a counter."""

    def __init__(self) -> None:
        self._stem = os.urandom(5).hex()
        self._numbers = itertools.count(1)

    def new(self) -> str:
        return f"{self._stem}-{next(self._numbers):x}"


OnAnswer = Callable[[str, str, float], None]
"""(route as declared, method, seconds)"""
_COUNTED_PREFIX = "/api/"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_JSON_KINDS = frozenset({"", "application/json"})


class Edge:
    """See the module. `scope["state"]` gets `client`, and `request_id`: on a hot route only where an error has to name it."""

    def __init__(
        self,
        app: AsgiHandler,
        hot_routes: Sequence[HotRoute],
        *,
        proxies: TrustedProxies,
        translations: Translations,
        headers: SecureHeaders | None = None,
        on_answer: OnAnswer | None = None,
        file_routes: Iterable[str] = (),
        sockets: SocketDoor | None = None,
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._translations = translations
        self._headers = headers or SecureHeaders(is_tls=False)
        self._on_answer = on_answer or _uncounted
        self._ids = RequestIds()
        self._file_routes = frozenset(file_routes)
        self._sockets = sockets
        self._exact = {route.path: route for route in hot_routes if not route.path.endswith(("/", "}"))}
        self._named = {route.path.partition("{")[0]: route for route in hot_routes if route.path.endswith("}")}
        self._subtrees = [route for route in hot_routes if route.path.endswith("/")]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket" and self._sockets is not None:
            scope.setdefault("state", {})["request_id"] = self._ids.new()
            await self._sockets(scope, receive, send)
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["client"] = self._proxies.client_of(scope)
        route = self._exact.get(scope["path"]) or self._find_named(scope["path"]) or self._find_subtree(scope["path"])
        if route is None or (route.method is not None and route.method != scope["method"]):
            state["request_id"] = self._ids.new()
            if self._sockets is not None and self._sockets.takes(scope["path"]):
                await self._sockets.say_upgrade(send)
                return
            await self._ask_framework(scope, receive, send)
            return
        started = monotonic() if route.is_counted else 0.0
        try:
            await route.handler(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the edge: everything becomes an answer
            state["request_id"] = self._ids.new()
            await send_error(scope, send, error, self._translations)
        if route.is_counted:
            self._on_answer(route.path, scope["method"], monotonic() - started)

    async def _ask_framework(self, scope: Any, receive: Any, send: Any) -> None:
        clear_contextvars()
        bind_contextvars(request_id=scope["state"]["request_id"])
        started = monotonic()
        if "\0" in scope["path"]:  # nothing has it in its name, and PostgreSQL takes none to look for it
            await send_error(scope, send, NotFound(N_("there is nothing here")), self._translations)
            return
        if b"%00" in scope["query_string"]:
            refusal: AtalaiaError = BadInput(N_("control characters are not possible here"))
            await send_error(scope, send, refusal, self._translations)
            return
        if scope["path"] not in self._file_routes and _is_foreign_media(scope):
            refusal = UnsupportedMedia(
                N_("this content type isn't taken here"), hint=N_("Send JSON: Content-Type: application/json.")
            )
            await send_error(scope, send, refusal, self._translations)
            return
        await self._app(scope, receive, self._headers.around(send))
        if scope["path"].startswith(_COUNTED_PREFIX):
            self._on_answer(scope.get("path_template", "unknown"), scope["method"], monotonic() - started)

    def _find_named(self, path: str) -> HotRoute | None:
        stem, slash, name = path.rpartition("/")
        return self._named.get(stem + slash) if name else None

    def _find_subtree(self, path: str) -> HotRoute | None:
        for route in self._subtrees:
            if path.startswith(route.path):
                return route
        return None


def _is_foreign_media(scope: Any) -> bool:
    """Whether a request to the JSON API brings something else than JSON; the framework would try to read it all the same."""
    if scope["method"] not in _WITH_BODY or not scope["path"].startswith(_COUNTED_PREFIX):
        return False
    kind = header(scope, b"content-type").partition(";")[0].strip().lower()
    return kind not in _JSON_KINDS


def _uncounted(_endpoint: str, _method: str, _seconds: float) -> None:
    return


async def send_error(scope: Any, send: Any, error: Exception, translations: Translations) -> None:
    """Answer with an error, in the reader's language."""
    request_id = scope["state"]["request_id"]
    clear_contextvars()
    bind_contextvars(request_id=request_id)
    answer = answer_to(error, translations.translator(choose_locale(header(scope, b"accept-language"))))
    headers = [JSON]
    if answer.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(answer.retry_after_s))))
    await send_bytes(send, answer.status, answer.body(request_id), tuple(headers))
