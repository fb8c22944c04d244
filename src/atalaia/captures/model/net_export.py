"""Chrome's net-export log (chrome://net-export, or --log-net-log): WebSocket messages out of the sockets' bytes.

The log names its numbers itself (`constants`), and has one event a line, so that a log which Chrome did not get to close
can be read as far as it goes. Bytes are there only when it was recorded with "Include raw bytes"; under TLS the plain ones
are in SSL_SOCKET_BYTES_*, of the same source as the socket's own.

Source: Chromium's net/log/file_net_log_observer.cc and net_log_event_type_list.h; seen in logs of Chromium 156
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from atalaia.captures.model.recordings import CaptureRefused, Message, Note, Reading
from atalaia.captures.model.websocket import Broken, Payload, Piece, find_upgrade, messages_of, unpackers
from atalaia.core.clock import from_ms
from atalaia.core.translations import N_

HOW_TO_RECORD: Final = N_(
    'Open chrome://net-export, choose "Include raw bytes", start logging to disk, do the steps, stop, and import that file.'
)
_KINDS: Final = {
    "SSL_SOCKET_BYTES_SENT": ("tls", "sent"),
    "SSL_SOCKET_BYTES_RECEIVED": ("tls", "received"),
    "SOCKET_BYTES_SENT": ("plain", "sent"),
    "SOCKET_BYTES_RECEIVED": ("plain", "received"),
}
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError)
_SEEN_SOCKETS: Final = ("WEBSOCKET_SENT_FRAME_HEADER", "WEBSOCKET_RECV_FRAME_HEADER", "WEBSOCKET_ALIVE")


class _Constants(msgspec.Struct):
    logEventTypes: dict[str, int]  # noqa: N815 - Chrome's own names, here and below
    timeTickOffset: float | str = 0  # noqa: N815
    clientInfo: dict[str, Any] = {}  # noqa: N815


class _Source(msgspec.Struct):
    id: int


class _Event(msgspec.Struct):
    type: int
    source: _Source
    time: str | float = 0
    params: msgspec.Raw = msgspec.Raw(b"null")


class _Bytes(msgspec.Struct):
    bytes: str | None = None
    hex_encoded_bytes: str | None = None  # until Chrome 70


class _Log(msgspec.Struct):
    constants: _Constants
    events: list[_Event]


@dataclass(slots=True)
class _Connection:
    """`is_tls` once plain bytes of a TLS connection were seen: the socket's own are the same again, encrypted."""

    sent: list[Piece] = field(default_factory=list)
    received: list[Piece] = field(default_factory=list)
    is_tls: bool = False


def is_net_export(data: bytes) -> bool:
    return b'"logEventTypes"' in data[:2_000_000] and data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"{"


def read_net_export(data: bytes) -> Reading:
    """Raises: CaptureRefused (no log, no bytes in it, no WebSocket in it)."""
    constants, events, is_cut = _parsed(data)
    reading = Reading("net-export", browser=_browser(constants))
    names = {number: name for name, number in constants.logEventTypes.items()}
    connections, saw_socket, saw_bytes = _collected(events, names, constants.timeTickOffset)
    if not saw_bytes:
        raise CaptureRefused(
            N_("this net-export log has no socket bytes, so the frames are not in it, only their headers"),
            hint=HOW_TO_RECORD,
        )
    for number, connection in sorted(connections.items()):
        _read_connection(reading, number, connection)
    if is_cut:
        reading.notes.append(Note(N_("The log ends in the middle; it was read as far as it goes.")))
    if not reading.messages:
        raise CaptureRefused(
            N_("no WebSocket message is in this net-export log")
            if not saw_socket
            else N_(
                "the WebSocket's bytes are not in this net-export log: it was open before the recording, or over HTTP/2"
            ),
            hint=N_("Start the recording first, then load the page anew and do the steps."),
        )
    return reading


def _parsed(data: bytes) -> tuple[_Constants, list[_Event], bool]:
    try:
        log = msgspec.json.decode(data, type=_Log)
    except _UNREADABLE:
        return _parsed_by_line(data)
    return log.constants, log.events, False


def _parsed_by_line(data: bytes) -> tuple[_Constants, list[_Event], bool]:
    """For a log that was not closed: constants on the first line, then an event a line until one is broken."""
    lines = iter(data.splitlines())
    constants: _Constants | None = None
    for line in lines:
        if b'"constants"' in line:
            constants = _constants_of(line)
            break
    if constants is None:
        raise CaptureRefused(N_("this is no net-export log that can be read"), hint=HOW_TO_RECORD)
    decoder, events = msgspec.json.Decoder(_Event), list[_Event]()
    for line in lines:
        text = line.strip().removeprefix(b'"events":').strip().removeprefix(b"[").strip().rstrip(b",")
        if text.startswith((b'"polledData"', b"]")):
            break
        try:
            if text:
                events.append(decoder.decode(text))
        except _UNREADABLE:
            break
    return constants, events, True


def _constants_of(line: bytes) -> _Constants:
    text = line.strip().removeprefix(b"{").strip().removeprefix(b'"constants":').rstrip(b",")
    try:
        return msgspec.json.decode(text, type=_Constants)
    except _UNREADABLE as error:
        raise CaptureRefused(N_("this is no net-export log that can be read"), hint=HOW_TO_RECORD) from error


def _collected(
    events: list[_Event], names: Mapping[int, str], tick_offset_ms: float | str
) -> tuple[dict[int, _Connection], bool, bool]:
    """Connections by source, whether a WebSocket is mentioned, whether any bytes are there."""
    connections: dict[int, _Connection] = {}
    decoder = msgspec.json.Decoder(_Bytes | None)
    saw_socket = saw_bytes = False
    for event in events:
        name = names.get(event.type, "")
        saw_socket = saw_socket or name in _SEEN_SOCKETS
        if name not in _KINDS:
            continue
        layer, direction = _KINDS[name]
        data = _bytes_of(decoder, event.params)
        if not data:
            continue
        saw_bytes = True
        connection = connections.setdefault(event.source.id, _Connection())
        if layer == "tls" and not connection.is_tls:
            connections[event.source.id] = connection = _Connection(is_tls=True)
        if connection.is_tls == (layer == "tls"):
            pieces = connection.sent if direction == "sent" else connection.received
            pieces.append(Piece(_instant(event.time, tick_offset_ms), data))
    return connections, saw_socket, saw_bytes


def _bytes_of(decoder: "msgspec.json.Decoder[_Bytes | None]", params: msgspec.Raw) -> bytes:
    try:
        given = decoder.decode(params)
        if given is None:
            return b""
        if given.bytes is not None:
            return base64.b64decode(given.bytes, validate=True)
        return bytes.fromhex(given.hex_encoded_bytes or "")
    except (*_UNREADABLE, binascii.Error, ValueError):
        return b""


def _read_connection(reading: Reading, number: int, connection: _Connection) -> None:
    sent = b"".join(piece.data for piece in connection.sent)
    upgrade = find_upgrade(sent, b"".join(piece.data for piece in connection.received))
    if upgrade is None:
        return
    address = f"{'wss' if connection.is_tls else 'ws'}://{upgrade.headers.get('host', '')}{upgrade.target}"
    reading.headers += upgrade.headers.items()
    of_client, of_server = unpackers(upgrade)
    both = [
        *_texts(reading, messages_of(connection.sent, start=upgrade.sent_from, inflater=of_client), "sent"),
        *_texts(reading, messages_of(connection.received, start=upgrade.received_from, inflater=of_server), "received"),
    ]
    # Stable: what was sent comes before what came back in the same millisecond.
    for direction, at, text in sorted(both, key=lambda each: each[1].timestamp() if each[1] else 0.0):
        reading.add(Message(direction, "socket", address, text, at, number))  # type: ignore[arg-type]


def _texts(reading: Reading, payloads: Iterator[Payload], direction: str) -> Iterator[tuple[str, datetime | None, str]]:
    try:
        for payload in payloads:
            try:
                yield direction, payload.at, payload.data.decode()
            except UnicodeDecodeError:
                reading.notes.append(Note(N_("A binary message was left out.")))
    except Broken:
        reading.notes.append(Note(N_("A connection's bytes have a gap; its messages were read up to there.")))


def _browser(constants: _Constants) -> str:
    # The rest of clientInfo (the command line) is nobody's business.
    words = (str(constants.clientInfo.get(name, "")) for name in ("name", "version"))
    return " ".join(word for word in words if word)[:100]


def _instant(time: float | str, tick_offset_ms: float | str) -> datetime | None:
    try:
        return from_ms(float(time) + float(tick_offset_ms))
    except (OverflowError, OSError, ValueError):
        return None
