"""POST /api/ping, kept as its senders know it: its own answers and its own form of errors.

The hot path: no framework, no log line, one wait (for the commit). Errors are `{"detail": …}` as FastAPI writes them.
"""

import time
from typing import Any
from uuid import UUID

import msgspec

from atalaia.access.authenticator import Authenticator
from atalaia.core.errors import InvalidField, Unauthenticated
from atalaia.core.permissions import Permission
from atalaia.core.translations import Catalogue, Translator
from atalaia.pings.api.document import PING_DOCUMENT
from atalaia.pings.model import PingIn, Received, SourceKey
from atalaia.pings.service import PingsService
from atalaia.pings.service.meter import ENDPOINT
from atalaia.pings.service.sources import check_words
from atalaia.sdk.contribution import HotRoute
from atalaia.web.answers import JSON
from atalaia.web.bodies import check_media, read_body
from atalaia.web.errors import answer_to

MAX_BODY_BYTES = 16_384
_MAX_LENGTH_DIGITS = 5
_TAKEN = (
    b'{"status":"success","ping_id":"%b","timestamp_received":"%b.%03dZ","timestamp_processed":"%b.%03dZ",'
    b'"processing_time_ms":%.3f,"network_rtt_ms":null,"message":"%b"}'
)
_NEW, _KNOWN = b"Ping received", b"Ping was received before"
_INVALID_KEY = b'{"detail":"Invalid API Key"}'
_PLAIN_JSON = b"application/json"
_ENGLISH = Translator("en", Catalogue())
_VERSION_SHIFT, _VERSION = 76, 4  # of a UUID: RFC 9562, section 4.2

_decode = msgspec.json.Decoder(PingIn).decode
Headers = tuple[tuple[bytes, bytes], ...]
_NO_HEADERS: Headers = ()
_monotonic = time.perf_counter
_wall_ns = time.time_ns


class PingRoute:
    def __init__(self, pings: PingsService, authenticator: Authenticator) -> None:
        self._receive_ping = pings.receiving.receive
        self._sources = pings.sources
        self._note = pings.meter.note
        self._answered = pings.meter.answered
        self._authenticator = authenticator
        self._iso = IsoClock()

    def route(self) -> HotRoute:
        # Counted by the meter, in bulk: one by one that would be a sixth of what a ping costs.
        return HotRoute(ENDPOINT, self, Permission.PINGS_WRITE, {ENDPOINT: PING_DOCUMENT}, is_counted=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        began = _monotonic()
        status, headers = 200, _NO_HEADERS
        try:
            body = await self._answer(scope, receive)
        except Exception as error:  # noqa: BLE001 - this route's own edge: it has its own form of errors
            status, body, headers = refusal_of(error)
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": (JSON, length, *headers)})
        await send({"type": "http.response.body", "body": body})
        self._answered(_monotonic() - began)

    async def _answer(self, scope: Any, receive: Any) -> bytes:
        if scope["method"] != "POST":
            raise _NotPostError
        headers = scope["headers"]
        principal = self._authenticator.key_principal(headers)
        if principal is None or Permission.PINGS_WRITE not in principal.permissions:
            await self._authenticator.require_key(scope, Permission.PINGS_WRITE)
        began = _monotonic()
        received_ms = _wall_ns() // 1_000_000
        message = await receive()
        is_plain = _is_plain(dict(headers), message)
        ping = _decode(message.get("body", b"") if is_plain else await _read(scope, receive, message))
        ping_id = ping.ping_id
        number = ping_id.int
        if number >> _VERSION_SHIFT & 0xF != _VERSION:
            raise InvalidField("ping_id", "UUID version 4 expected")
        said = ping.source
        source = SourceKey(said.location, said.datacenter, said.country)
        if not self._sources.is_known(source):
            check_words(source)
        is_new = await self._receive_ping(Received(number.to_bytes(16), source, received_ms))
        took_s = _monotonic() - began
        if is_new:
            self._note((source.location, source.country), at_ms=received_ms, took_s=took_s)
        return self._write(ping_id, received_ms=received_ms, took_ms=took_s * 1000, is_new=is_new)

    def _write(self, ping_id: UUID, *, received_ms: int, took_ms: float, is_new: bool) -> bytes:
        second, rest = divmod(received_ms, 1000)
        processed_second, processed_rest = divmod(received_ms + int(took_ms), 1000)
        return _TAKEN % (
            str(ping_id).encode(),
            self._iso.text(second),
            rest,
            self._iso.text(processed_second),
            processed_rest,
            took_ms,
            _NEW if is_new else _KNOWN,
        )


class IsoClock:
    """Seconds since the epoch as `2026-01-02T03:04:05`, made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._text = b""

    def text(self, second: int) -> bytes:
        if second != self._second:
            self._second, self._text = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second)).encode()
        return self._text


class _NotPostError(Exception):
    pass


def _is_plain(headers: dict[bytes, bytes], message: Any) -> bool:
    """The common case: a short body of JSON that came in one piece."""
    length = headers.get(b"content-length", b"")
    return (
        headers.get(b"content-type") == _PLAIN_JSON
        and len(length) < _MAX_LENGTH_DIGITS
        and length.isdigit()
        and b"content-encoding" not in headers
        and message["type"] == "http.request"
        and not message.get("more_body")
    )


async def _read(scope: Any, receive: Any, first: Any) -> bytes:
    """Any other body; `first` is the message that was received already."""
    check_media(scope, "application/json")
    waiting = [first]

    async def again() -> Any:
        return waiting.pop() if waiting else await receive()

    return await read_body(scope, again, limit=MAX_BODY_BYTES)


def refusal_of(error: Exception) -> tuple[int, bytes, Headers]:
    """Status, body and further headers, in this route's own form."""
    if isinstance(error, _NotPostError):
        return 405, b'{"detail":"Method Not Allowed"}', ((b"allow", b"POST"),)
    if isinstance(error, Unauthenticated):
        return 401, _INVALID_KEY, ()
    if isinstance(error, msgspec.ValidationError):
        return 422, _detail(_of_message(str(error))), ()
    if isinstance(error, msgspec.DecodeError | UnicodeDecodeError):
        return 400, _detail(_problem(["body"], "JSON decode error", "json_invalid")), ()
    if isinstance(error, InvalidField):
        return 422, _detail(_problem(["body", *error.field.split(".")], str(error), "value_error")), ()
    answer = answer_to(error, _ENGLISH)
    retry = ((b"retry-after", b"%d" % max(1, round(answer.retry_after_s))),) if answer.retry_after_s else ()
    return answer.status, _detail(answer.message), retry


def _of_message(text: str) -> list[dict[str, Any]]:
    """Msgspec's words (`Expected `str`, got `int` - at `$.source.country``) in FastAPI's form."""
    reason, _, path = text.partition(" - at `$")
    location = ["body", *(part for part in path.rstrip("`").split(".") if part)]
    if "missing required field" in reason:
        return _problem([*location, reason.rpartition("field `")[2].rstrip("`")], "Field required", "missing")
    return _problem(location, reason, "value_error")


def _problem(location: list[str], message: str, kind: str) -> list[dict[str, Any]]:
    return [{"loc": location, "msg": message, "type": kind}]


def _detail(value: Any) -> bytes:
    return msgspec.json.encode({"detail": value})
