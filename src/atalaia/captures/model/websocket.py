"""WebSocket messages out of the bytes of a connection: upgrade, frames, masks, fragments, packing.

Source: RFC 6455
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from atalaia.captures.model.inflating import Inflater, inflaters
from atalaia.captures.model.recordings import MAX_MESSAGE_BYTES

_REQUEST: Final = re.compile(rb"GET (\S{1,8192}) HTTP/1\.1\r\n((?:[^\r\n]+\r\n){1,200})\r\n")
_ANSWER: Final = re.compile(rb"HTTP/1\.1 101 ?[^\r\n]*\r\n((?:[^\r\n]+\r\n){0,200})\r\n")
_CONTINUATION, _TEXT, _BINARY, _CLOSE = 0, 1, 2, 8
_CONTROL: Final = 8  # opcodes from here on: never fragmented, never packed


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes as they were read or written at once."""

    at: datetime | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Upgrade:
    target: str
    headers: dict[str, str]  # of the request; names in lower case
    extensions: str  # agreed to by the server
    sent_from: int  # where frames begin in what the client sent
    received_from: int


@dataclass(frozen=True, slots=True)
class Payload:
    """A whole message, unmasked and unpacked. `is_text` is what its opcode says."""

    at: datetime | None
    is_text: bool
    data: bytes


class Broken(ValueError):
    """From here on the bytes are no WebSocket frames; what came before stands."""


def find_upgrade(sent: bytes, received: bytes) -> Upgrade | None:
    """Where a connection became a WebSocket; other requests, or a proxy's CONNECT, may come before."""
    answer = _ANSWER.search(received)
    for request in _REQUEST.finditer(sent):
        headers = _headers(request[2])
        if headers.get("upgrade", "").lower() == "websocket" and answer is not None:
            agreed = _headers(answer[1]).get("sec-websocket-extensions", "")
            return Upgrade(request[1].decode("latin-1"), headers, agreed, request.end(), answer.end())
    return None


def messages_of(pieces: Sequence[Piece], *, start: int, inflater: Inflater | None) -> Iterator[Payload]:
    """Text and binary messages, each at the instant of its last byte.

    Raises:
        Broken: bytes that are no frame (a log with a gap); what was given until then stands.
    """
    clock = _Times(pieces)
    parts, opcode, is_packed = bytearray(), _CONTINUATION, False
    for frame in _frames(b"".join(piece.data for piece in pieces), start):
        if frame.opcode >= _CONTROL:
            if frame.opcode == _CLOSE:
                return
            continue
        if frame.opcode != _CONTINUATION:
            parts, opcode, is_packed = bytearray(), frame.opcode, frame.is_packed
        parts += frame.data
        if len(parts) > MAX_MESSAGE_BYTES:
            raise Broken("a message is larger than is read here")
        if frame.is_last:
            yield Payload(clock.at(frame.end), opcode == _TEXT, _unpacked(bytes(parts), is_packed, inflater))


def unpackers(upgrade: Upgrade) -> tuple[Inflater | None, Inflater | None]:
    """(client's, server's)."""
    return inflaters(upgrade.extensions) or (None, None)


@dataclass(frozen=True, slots=True)
class _Frame:
    opcode: int
    is_last: bool
    is_packed: bool
    data: bytes
    end: int


def _frames(stream: bytes, start: int) -> Iterator[_Frame]:
    position = start
    while position + 2 <= len(stream):
        first, second = stream[position], stream[position + 1]
        opcode = first & 0x0F
        if first & 0x30 or opcode not in {_CONTINUATION, _TEXT, _BINARY, _CLOSE, 9, 10}:
            raise Broken("bytes that are no frame")
        body = position + 2
        length = second & 0x7F
        if length >= 126:  # noqa: PLR2004 - the marks of longer lengths
            width = 2 if length == 126 else 8  # noqa: PLR2004 - as above
            length = int.from_bytes(stream[body : body + width], "big")
            body += width
        mask = stream[body : body + 4] if second & 0x80 else b""
        body += len(mask)
        end = body + length
        if end > len(stream):  # the log ends in the middle of a frame
            return
        yield _Frame(opcode, bool(first & 0x80), bool(first & 0x40), _unmasked(stream[body:end], mask), end)
        position = end


def _unmasked(data: bytes, mask: bytes) -> bytes:
    if not mask or not data:
        return data
    pad = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(data), "big")


def _unpacked(data: bytes, is_packed: bool, inflater: Inflater | None) -> bytes:
    if not is_packed:
        return data
    if inflater is None:
        raise Broken("a packed message, though no packing was agreed on")
    try:
        return inflater.inflate(data)
    except ValueError as error:
        raise Broken(str(error)) from error


class _Times:
    """At what instant a byte of the stream came."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._pieces = iter(pieces)
        self._end = 0
        self._at: datetime | None = None

    def at(self, position: int) -> datetime | None:
        """Asked with positions that only grow."""
        while self._end < position:
            piece = next(self._pieces)
            self._end += len(piece.data)
            self._at = piece.at
        return self._at


def _headers(block: bytes) -> dict[str, str]:
    lines = (line.partition(b":") for line in block.split(b"\r\n") if line)
    return {name.strip().lower().decode("latin-1"): value.strip().decode("latin-1") for name, _, value in lines}
