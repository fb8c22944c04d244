"""The outermost application: every request passes here first.

It gives each request an id, finds the client's address, sends hot addresses straight to their raw handlers and the rest to
the framework, and turns whatever is raised on the way into an answer.
"""

import itertools
import os
from collections.abc import Sequence
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, clear_contextvars

from atalaia.core.translations import Translations, choose_locale
from atalaia.sdk.contribution import AsgiHandler, HotRoute
from atalaia.web.addresses import TrustedProxies, header
from atalaia.web.answers import JSON, send_bytes
from atalaia.web.errors import answer_to

log = structlog.get_logger()


class RequestIds:
    """Unique ids that cost next to nothing: a random part for the process, then a counter."""

    def __init__(self) -> None:
        self._stem = os.urandom(5).hex()
        self._numbers = itertools.count(1)

    def new(self) -> str:
        return f"{self._stem}-{next(self._numbers):x}"


class Edge:
    """See the module. `scope["state"]` gets `request_id` and `client`."""

    def __init__(
        self, app: AsgiHandler, hot_routes: Sequence[HotRoute], *, proxies: TrustedProxies, translations: Translations
    ) -> None:
        self._app = app
        self._translations = translations
        self._proxies = proxies
        self._ids = RequestIds()
        self._exact = {route.path: route.handler for route in hot_routes if not route.path.endswith("/")}
        self._subtrees = [(route.path, route.handler) for route in hot_routes if route.path.endswith("/")]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = self._ids.new()
        state["client"] = self._proxies.client_of(scope)
        handler = self._find(scope["path"])
        if handler is None:
            clear_contextvars()
            bind_contextvars(request_id=request_id)
            await self._app(scope, receive, send)
            return
        try:
            await handler(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the edge: everything becomes an answer
            await send_error(scope, send, error, self._translations)

    def _find(self, path: str) -> AsgiHandler | None:
        found = self._exact.get(path)
        if found is None:
            for prefix, handler in self._subtrees:
                if path.startswith(prefix):
                    return handler
        return found


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
