"""/ping/<uuid>[/start|/fail|/log|/<exit status>]: the addresses of Healthchecks, so that its senders work unchanged.

Source: protocols of Healthchecks 4.4, as seen on a live server; only the limit of a body is larger here.
"""

import re
from typing import Any
from urllib.parse import parse_qs

from atalaia.core.permissions import Permission
from atalaia.sdk.contribution import HotRoute
from atalaia.watch.model.observations import BeatKind
from atalaia.watch.service.heartbeats import HeartbeatPing, Heartbeats
from atalaia.web.addresses import header
from atalaia.web.answers import TEXT, Header, send_bytes

PREFIX = "/ping/"
BODY_LIMIT_BYTES = 100_000
DRAIN_BYTES = 8 * 1024 * 1024
USER_AGENT_MAX = 200
EXIT_STATUS_MAX = 255
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_WORDS = {"start": BeatKind.START, "fail": BeatKind.FAIL, "log": BeatKind.LOG}
_HEADERS: tuple[Header, ...] = (
    TEXT,
    (b"ping-body-limit", b"%d" % BODY_LIMIT_BYTES),
    (b"access-control-allow-origin", b"*"),
    (b"cache-control", b"max-age=0, no-cache, no-store, must-revalidate, private"),
)


class _Refused(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


_NOT_FOUND = (404, "not found")


class PingRoute:
    def __init__(self, heartbeats: Heartbeats) -> None:
        self._heartbeats = heartbeats

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self._take(scope, receive)
        except _Refused as refused:
            await _answer(scope, send, refused.status, refused.words)
        else:
            await _answer(scope, send, 200, "OK")

    async def _take(self, scope: Any, receive: Any) -> None:
        at_ms = self._heartbeats.now_ms()
        ping_id, kind, exit_status = parse_path(scope["path"])
        run = parse_run(scope["query_string"])
        check_id = await self._heartbeats.check_of(ping_id)
        if check_id is None:
            raise _Refused(*_NOT_FOUND)
        ping = HeartbeatPing(check_id, at_ms, kind, run, exit_status)
        body = await _read(receive) if scope["method"] not in {"GET", "HEAD"} else b""
        if body or not ping.is_plain:
            agent = header(scope, b"user-agent")[:USER_AGENT_MAX]
            ping = HeartbeatPing(check_id, at_ms, kind, run, exit_status, scope["state"]["client"], agent, body)
        if not await self._heartbeats.take(ping):
            raise _Refused(*_NOT_FOUND)


def parse_path(path: str) -> tuple[str, BeatKind, int | None]:
    """(address, what it says, exit status). Raises _Refused."""
    ping_id, slash, word = path[len(PREFIX) :].partition("/")
    if not _UUID.fullmatch(ping_id):
        raise _Refused(*_NOT_FOUND)
    if not slash or not word:  # a slash at the end is fine after a bare address only
        return ping_id, BeatKind.SUCCESS, None
    if word in _WORDS:
        return ping_id, _WORDS[word], None
    if not (word.isascii() and word.isdigit()):
        raise _Refused(*_NOT_FOUND)
    exit_status = int(word[:10])
    if exit_status > EXIT_STATUS_MAX:
        raise _Refused(400, "invalid url format")
    return ping_id, BeatKind.FAIL if exit_status else BeatKind.SUCCESS, exit_status


def parse_run(query: bytes) -> str:
    """`rid`, which pairs a start with its end. Raises _Refused."""
    if not query:
        return ""
    values = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("rid")
    if not values:
        return ""
    if not _UUID.fullmatch(values[0].lower()):
        raise _Refused(400, "invalid uuid format")
    return values[0].lower()


async def _read(receive: Any) -> bytes:
    """The body, cut at the limit; what comes after it is read and thrown away."""
    kept, size, more = b"", 0, True
    while more and size <= DRAIN_BYTES:
        message = await receive()
        part = message.get("body", b"")
        size += len(part)
        if len(kept) < BODY_LIMIT_BYTES:
            kept += part[: BODY_LIMIT_BYTES - len(kept)]
        more = message.get("more_body", False)
    return kept


async def _answer(scope: Any, send: Any, status: int, words: str) -> None:
    if scope["method"] == "HEAD":
        await send({"type": "http.response.start", "status": status, "headers": list(_HEADERS)})
        await send({"type": "http.response.body", "body": b""})
    else:
        await send_bytes(send, status, words.encode(), _HEADERS)


def _operation(summary: str) -> dict[str, Any]:
    text = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "summary": summary,
        "tags": ["Heartbeats"],
        "security": [],
        "responses": {
            "200": {"description": "It is on record", "content": text},
            "400": {"description": "invalid url format, invalid uuid format", "content": text},
            "404": {"description": "not found", "content": text},
        },
    }


def _document() -> dict[str, Any]:
    uuid = {"name": "uuid", "in": "path", "required": True, "schema": {"type": "string"}}
    word = {"name": "word", "in": "path", "required": True, "schema": {"type": "string"}}
    run = {"name": "rid", "in": "query", "required": False, "schema": {"type": "string"}}
    bare = {method: _operation("A job says that it is well") for method in ("get", "post")}
    said = {method: _operation("A job says start, fail, log or its exit status") for method in ("get", "post")}
    return {
        "/ping/{uuid}": {"parameters": [uuid, run], **bare},
        "/ping/{uuid}/{word}": {"parameters": [uuid, word, run], **said},
    }


def ping_route(heartbeats: Heartbeats) -> HotRoute:
    return HotRoute(PREFIX, PingRoute(heartbeats).handle, Permission.PUBLIC, _document(), is_counted=False)
