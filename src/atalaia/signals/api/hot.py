"""POST /api/signals/<name>, and the addresses that integrations keep for theirs: their own answers and form of errors.

Kept to the byte: see model.answers. Errors are `{"error": "<words>"}`, in English.
"""

from typing import Any

import msgspec
import structlog
from structlog.contextvars import bound_contextvars

from atalaia.access.authenticator import Authenticator
from atalaia.core.errors import AtalaiaError, BadInput, Unauthenticated
from atalaia.core.ids import new_id
from atalaia.core.permissions import Permission, may_signal
from atalaia.core.translations import Catalogue, Translator
from atalaia.sdk.contribution import HotRoute
from atalaia.sdk.signals import SignalAddress
from atalaia.signals.api import document
from atalaia.signals.model.answers import SKIPPED_BODY, STARTED_BODY, THROTTLED_BODY, UNAUTHORIZED_BODY
from atalaia.signals.model.locks import Held, Throttled
from atalaia.signals.model.signals import shown_source
from atalaia.signals.service import SignalsService
from atalaia.signals.service.starting import Paused, Reply, Unknown
from atalaia.web.answers import JSON, send_bytes
from atalaia.web.bodies import read_body
from atalaia.web.errors import answer_to

MAX_BODY_BYTES = 16_384
PREFIX = "/api/signals/"
_ENGLISH = Translator("en", Catalogue())
_NO_HEADERS: tuple[tuple[bytes, bytes], ...] = ()
_FORBIDDEN = b'{"error":"This key is not for this signal"}'
_UNKNOWN = b'{"error":"There is no such signal"}'
_NOT_POST = b'{"error":"Method not allowed"}'
_PAUSED = b'{"error":"The signal is paused"}'

_decode = msgspec.json.decode
log = structlog.get_logger()

Headers = tuple[tuple[bytes, bytes], ...]
Answered = tuple[int, bytes, Headers]


class _ForbiddenError(Exception):
    pass


class SignalRoutes:
    def __init__(self, signals: SignalsService, authenticator: Authenticator) -> None:
        self._send = signals.sending.send
        self._count = signals.counting.answered
        self._authenticator = authenticator

    def route(self) -> HotRoute:
        async def handle(scope: Any, receive: Any, send: Any) -> None:
            await self._handle(scope["path"][len(PREFIX) :], scope, receive, send)

        path = PREFIX + "{name}"
        return HotRoute(path, handle, Permission.SIGNALS_SEND, {path: {"post": document.SEND}}, method="POST")

    def address(self, kept: SignalAddress) -> HotRoute:
        """A kept address, answered as its signal is."""

        async def handle(scope: Any, receive: Any, send: Any) -> None:
            await self._handle(kept.signal, scope, receive, send)

        return HotRoute(kept.path, handle, Permission.SIGNALS_SEND, {kept.path: {"post": document.kept(kept.path)}})

    async def _handle(self, name: str, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            await send_bytes(send, 405, _NOT_POST, (JSON, (b"allow", b"POST")))
            return
        try:
            status, body, headers = await self._answer(name, scope, receive)
        except Exception as error:  # noqa: BLE001 - this route's own edge: it has its own form of errors
            status, body, headers = refusal_of(error)
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": (JSON, length, *headers)})
        await send({"type": "http.response.body", "body": body})
        self._count(name, status, address=scope["state"]["client"])

    async def _answer(self, name: str, scope: Any, receive: Any) -> Answered:
        headers = scope["headers"]
        principal = self._authenticator.key_principal(headers) or await self._authenticator.find_key_principal(headers)
        if not may_signal(principal, name):
            raise _ForbiddenError
        if not name.isprintable():  # none has such a name, and PostgreSQL takes no NUL to look for it
            return 404, _UNKNOWN, _NO_HEADERS
        body = await read_body(scope, receive, limit=MAX_BODY_BYTES)
        source = _source_of(body) if body else ""
        return _of_reply(await self._send(name, source))


def _of_reply(reply: Reply) -> Answered:
    if isinstance(reply, Held):
        return 200, SKIPPED_BODY, _NO_HEADERS
    if isinstance(reply, Throttled):
        return 429, THROTTLED_BODY, (_retry_after(reply.left_ms / 1000),)
    if isinstance(reply, Unknown):
        return 404, _UNKNOWN, _NO_HEADERS
    if isinstance(reply, Paused):
        return 409, _PAUSED, _NO_HEADERS
    return 202, STARTED_BODY, _NO_HEADERS


def _source_of(body: bytes) -> str:
    """Raises: BadInput."""
    if not body.strip():
        return ""
    try:
        said = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:  # the last: nothing but brackets
        raise BadInput("The body is not JSON") from error
    if not isinstance(said, dict):
        raise BadInput("The body is not a JSON object")
    return shown_source(said.get("source"))


def _retry_after(seconds: float) -> tuple[bytes, bytes]:
    return b"retry-after", b"%d" % max(1, -int(-seconds // 1))


def refusal_of(error: Exception) -> Answered:
    """In this route's own form. What nobody expected is logged, under an id that the answer names."""
    if isinstance(error, Unauthenticated):
        return 401, UNAUTHORIZED_BODY, _NO_HEADERS
    if isinstance(error, _ForbiddenError):
        return 403, _FORBIDDEN, _NO_HEADERS
    request_id = new_id()
    with bound_contextvars(request_id=request_id):
        answer = answer_to(error, _ENGLISH)
        if isinstance(error, AtalaiaError) and answer.status >= 500:  # noqa: PLR2004 - the class of HTTP status
            log.error("signal_refused", code=error.code, reason=str(error))
    words = answer.message[:1].upper() + answer.message[1:]
    if answer.status >= 500:  # noqa: PLR2004 - as above
        words = f"{words} (id {request_id})"
    headers = (_retry_after(answer.retry_after_s),) if answer.retry_after_s else _NO_HEADERS
    return answer.status, msgspec.json.encode({"error": words}), headers
