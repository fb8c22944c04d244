"""Frames of STOMP 1.2 over a WebSocket, as much of it as a subscriber needs. Pure.

Source: https://stomp.github.io/stomp-specification-1.2.html
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from atalaia.core.translations import N_
from atalaia.sdk.failures import BadPayload

PROTOCOL: Final = "v12.stomp"
BEAT: Final = "\n"
MOST_BYTES: Final = 1 << 20
_PLAIN: Final = frozenset({"CONNECT", "CONNECTED", "STOMP"})  # their headers are not escaped, as in version 1.0
_ESCAPES: Final = {"\\\\": "\\", "\\r": "\r", "\\n": "\n", "\\c": ":"}
_ESCAPED: Final = {plain: escaped for escaped, plain in _ESCAPES.items()}
_TO_ESCAPE: Final = re.compile(r"[\\\r\n:]")
_ESCAPE: Final = re.compile(r"\\.?", re.DOTALL)
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_LONGEST_BEAT_MS: Final = 3_600_000


class BadFrame(BadPayload):
    """What came is no frame."""

    code = "cvepro_bad_frame"

    def __init__(self, *, why: str) -> None:
        super().__init__(N_("The live connection sent what is no frame: {why}"), why=why)


@dataclass(frozen=True, slots=True)
class Frame:
    command: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


def encode(frame: Frame) -> str:
    """With its length, so that a body may hold what ends a frame."""
    is_plain = frame.command in _PLAIN
    headers = dict(frame.headers)
    if frame.body:
        headers["content-length"] = str(len(frame.body.encode()))
    lines = [f"{_out(key, is_plain)}:{_out(value, is_plain)}" for key, value in headers.items()]
    return "\n".join([frame.command, *lines, "", frame.body]) + "\0"


class Frames:
    """Texts in, frames out, however they are cut; beats between them say nothing."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, text: str) -> Iterator[Frame]:
        """Raises: BadFrame."""
        self._rest = (self._rest + text.encode("utf-8", "replace")).lstrip(b"\r\n")
        while (taken := _take(self._rest)) is not None:
            frame, self._rest = taken
            yield frame
        if len(self._rest) > MOST_BYTES:
            raise BadFrame(why=f"more than {MOST_BYTES} bytes")


def beats(told: str | None, *, wish_ms: int) -> tuple[float | None, float | None]:
    """Seconds between two beats of ours, and of theirs, after their `heart-beat` header; None: none are sent.

    `wish_ms` is what we said that we can send and would like to get.
    """
    try:
        can_ms, want_ms = (int(each) for each in (told or "0,0").split(","))
    except ValueError:
        return None, None
    return _agreed(wish_ms, want_ms), _agreed(can_ms, wish_ms)


def _agreed(can_ms: int, want_ms: int) -> float | None:
    """What one side can send and the other wants: the slower of the two."""
    if can_ms <= 0 or want_ms <= 0:
        return None
    return min(max(can_ms, want_ms), _LONGEST_BEAT_MS) / 1000


def _take(raw: bytes) -> tuple[Frame, bytes] | None:
    """The first frame and what comes behind it; None where it is not whole yet. Raises: BadFrame."""
    end, null = _HEAD_END.search(raw), raw.find(b"\0")
    if end is None or -1 < null < end.start():
        if null >= 0:
            raise BadFrame(why="no empty line after the headers")
        return None
    command, headers = _head(raw[: end.start()])
    stop = _body_end(raw, end.end(), headers.get("content-length"))
    if stop is None:
        return None
    return Frame(command, headers, _text(raw[end.end() : stop])), raw[stop + 1 :].lstrip(b"\r\n")


def _body_end(raw: bytes, start: int, told: str | None) -> int | None:
    if told is None:
        found = raw.find(b"\0", start)
        return None if found < 0 else found
    if not (told.isascii() and told.isdecimal() and len(told) <= len(str(MOST_BYTES))):
        raise BadFrame(why="a content-length that is none")
    stop = start + int(told)
    if len(raw) <= stop:
        return None
    if raw[stop]:
        raise BadFrame(why="it does not end where its content-length says")
    return stop


def _head(raw: bytes) -> tuple[str, dict[str, str]]:
    command, *lines = [line.removesuffix("\r") for line in _text(raw).split("\n")]
    headers: dict[str, str] = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon:
            raise BadFrame(why="a header without a colon")
        is_plain = command in _PLAIN
        headers.setdefault(_in(key, is_plain), _in(value, is_plain))  # of two the first holds
    return command, headers


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadFrame(why="no UTF-8") from error


def _out(text: str, is_plain: bool) -> str:
    return text if is_plain else _TO_ESCAPE.sub(lambda found: _ESCAPED[found[0]], text)


def _in(text: str, is_plain: bool) -> str:
    if is_plain:
        return text

    def plain(found: re.Match[str]) -> str:
        if found[0] not in _ESCAPES:
            raise BadFrame(why="an escape that there is not")
        return _ESCAPES[found[0]]

    return _ESCAPE.sub(plain, text)
