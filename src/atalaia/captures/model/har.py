"""HAR with WebSocket messages, as Chrome, Edge and Firefox save it from the network panel.

Chrome's `_webSocketMessages` has `type` (send, receive), `time` (seconds since the epoch), `opcode` and `data` (text; binary as
base64). Its default export is sanitised: cookies and the Authorization header are taken out, by some versions and tools
the messages too. Nothing in the file says so, so it is noticed by what is missing.

Source: Chromium's DevTools, models/har/Log (build with `sanitize`), read in version 156; http://www.softwareishard.com/blog/har-12-spec/
"""

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from atalaia.captures.model.actions import looks_like_action
from atalaia.captures.model.recordings import CaptureRefused, Direction, Message, Note, Reading
from atalaia.core.clock import from_ms
from atalaia.core.translations import N_

HOW_TO_EXPORT: Final = N_(
    "In Chrome's developer tools: Settings, Preferences, Network, “Allow to generate HAR with sensitive data”; load the page anew with"
    " the network panel open, do the steps, then hold the download button and choose “Export HAR (with sensitive data)”."
)
_TEXT, _BINARY = 1, 2
_TELLING_HEADERS: Final = frozenset({"cookie", "authorization", "set-cookie"})
_SECONDS_BEFORE: Final = 1e11  # an instant in seconds is smaller for three thousand years, one in ms larger


class _Pair(msgspec.Struct):
    name: str = ""
    value: str = ""


class _Message(msgspec.Struct):
    type: str = ""
    time: float = 0
    opcode: float = _TEXT
    data: str | None = None


class _Body(msgspec.Struct):
    text: str | None = None
    encoding: str | None = None


class _Request(msgspec.Struct):
    url: str = ""
    headers: list[_Pair] = []
    cookies: list[_Pair] = []
    postData: _Body | None = None  # noqa: N815 - HAR's own name


class _Response(msgspec.Struct):
    status: float = 0
    headers: list[_Pair] = []
    cookies: list[_Pair] = []
    content: _Body | None = None


class _Entry(msgspec.Struct):
    request: _Request
    response: _Response = msgspec.field(default_factory=_Response)
    startedDateTime: str = ""  # noqa: N815 - as above
    resource_type: str = msgspec.field(default="", name="_resourceType")
    messages: list[_Message] | None = msgspec.field(default=None, name="_webSocketMessages")

    @property
    def is_socket(self) -> bool:
        is_named = self.resource_type.lower() == "websocket" or self.request.url.startswith(("ws:", "wss:"))
        return is_named or self.messages is not None


class _Log(msgspec.Struct):
    entries: list[_Entry]
    creator: dict[str, Any] = {}
    browser: dict[str, Any] = {}


class _Har(msgspec.Struct):
    log: _Log


def read_har(data: bytes) -> Reading:
    """Raises: CaptureRefused (not HAR, sanitised, no message in it)."""
    log = _parsed(data)
    reading = Reading("har", browser=_browser(log))
    sockets = [entry for entry in log.entries if entry.is_socket]
    is_sanitised = not any(True for entry in log.entries if _tells(entry))
    if sockets and all(_is_emptied(entry) for entry in sockets):
        raise CaptureRefused(
            N_("this HAR was exported without the WebSocket's messages (Chrome's default export is sanitised)"),
            hint=HOW_TO_EXPORT,
        )
    for number, entry in enumerate(log.entries, 1):
        reading.headers += _headers(entry)
        for message in _socket_messages(reading, entry, number) if entry.is_socket else _http_messages(entry, number):
            reading.add(message)
    if not reading.messages:
        raise CaptureRefused(_nothing_found(sockets, is_sanitised=is_sanitised), hint=HOW_TO_EXPORT)
    if is_sanitised:
        reading.notes.append(
            Note(
                N_("No cookie and no Authorization header is in this HAR: a sanitised export, or a site without them.")
            )
        )
    return reading


def _parsed(data: bytes) -> _Log:
    try:
        return msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Har).log
    except msgspec.ValidationError as error:
        raise CaptureRefused(N_("this is no HAR file: {why}"), why=str(error), hint=HOW_TO_EXPORT) from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _parsed_leniently(data)


def _parsed_leniently(data: bytes) -> _Log:
    """Browsers write half surrogates, which only the slower parser takes. Its words would show the text, so they are dropped."""
    try:
        return msgspec.convert(json.loads(data.decode("utf-8-sig", "replace")), _Har).log
    except (ValueError, RecursionError):
        raise CaptureRefused(
            N_("this HAR file can't be read: it is cut off, or not JSON"),
            hint=N_("Export it again and let the browser finish."),
        ) from None


def _socket_messages(reading: Reading, entry: _Entry, number: int) -> Iterator[Message]:
    for each in entry.messages or ():
        direction: Direction = "sent" if each.type == "send" else "received"
        text = _text_of(reading, each)
        if text:
            yield Message(direction, "socket", entry.request.url, text, _instant(each.time), number)


def _text_of(reading: Reading, message: _Message) -> str | None:
    if message.data is None or message.opcode not in {_TEXT, _BINARY}:
        return None
    if message.opcode == _TEXT:
        return message.data
    try:
        return base64.b64decode(message.data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        reading.notes.append(Note(N_("A binary message was left out.")))
        return None


def _http_messages(entry: _Entry, number: int) -> Iterator[Message]:
    """An action that does not pass the socket, with its answer."""
    asked = entry.request.postData.text if entry.request.postData else None
    if not asked or not looks_like_action(asked):
        return
    at = _started(entry.startedDateTime)
    yield Message("sent", "http", entry.request.url, asked, at, number)
    answered = _body(entry.response.content)
    if answered:
        yield Message("received", "http", entry.request.url, answered, at, number)


def _body(content: _Body | None) -> str | None:
    if content is None or content.text is None:
        return None
    if content.encoding != "base64":
        return content.text
    try:
        return base64.b64decode(content.text).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _is_emptied(entry: _Entry) -> bool:
    if entry.messages is None:
        return True
    texts = [each for each in entry.messages if each.opcode in {_TEXT, _BINARY}]
    return bool(texts) and not any(each.data for each in texts)


def _tells(entry: _Entry) -> bool:
    if entry.request.cookies or entry.response.cookies:
        return True
    return any(pair.name.lower() in _TELLING_HEADERS for pair in (*entry.request.headers, *entry.response.headers))


def _nothing_found(sockets: list[_Entry], *, is_sanitised: bool) -> str:
    if sockets:
        return N_("the WebSocket in this HAR has no messages: it was open before the panel was, or nothing was sent")
    if is_sanitised:
        return N_("no WebSocket and no action is in this HAR, which looks like Chrome's sanitised default export")
    return N_("no WebSocket and no action is in this HAR")


def _headers(entry: _Entry) -> Iterator[tuple[str, str]]:
    for pair in (*entry.request.headers, *entry.response.headers):
        yield pair.name.lower(), pair.value
    for pair in (*entry.request.cookies, *entry.response.cookies):
        yield "cookie", f"{pair.name}={pair.value}"


def _browser(log: _Log) -> str:
    source = log.browser or log.creator
    words = (str(source.get(name, "")) for name in ("name", "version"))
    return " ".join(word for word in words if word)[:100]


def _started(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):  # no instant, or one before the first or after the last there is
        return None


def _instant(time: float) -> datetime | None:
    try:
        return from_ms(time * 1000 if time < _SECONDS_BEFORE else time) if time > 0 else None
    except (OverflowError, OSError, ValueError):
        return None
