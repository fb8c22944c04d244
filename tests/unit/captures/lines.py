"""Bytes of WebSocket connections and net-export logs made of them, by hand."""

import base64
import json
import zlib
from typing import Any

from tests.unit.captures.recorded import GUID, TOKEN

MASK = b"\x01\x02\x03\x04"
TYPES = {
    "SOCKET_BYTES_SENT": 80,
    "SOCKET_BYTES_RECEIVED": 81,
    "SSL_SOCKET_BYTES_SENT": 84,
    "SSL_SOCKET_BYTES_RECEIVED": 86,
    "WEBSOCKET_SENT_FRAME_HEADER": 90,
}
DEFLATE = "permessage-deflate"


def upgrade(extensions: str = "") -> tuple[bytes, bytes]:
    """(request, answer)."""
    asked = (
        f"GET /{GUID}/{TOKEN}/json?defragment=1 HTTP/1.1\r\nHost: ops.example.com:8182\r\nConnection: Upgrade\r\n"
        "Upgrade: websocket\r\nCookie: sid=c00kie-canary-7f3a9b1c\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    agreed = f"Sec-WebSocket-Extensions: {extensions}\r\n" if extensions else ""
    answered = f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n{agreed}\r\n"
    return asked.encode(), answered.encode()


def ws(payload: bytes, *, opcode: int = 1, fin: bool = True, packed: bool = False, masked: bool = True) -> bytes:
    """One frame."""
    head = bytes([(0x80 if fin else 0) | (0x40 if packed else 0) | opcode])
    bit = 0x80 if masked else 0
    if len(payload) < 126:
        head += bytes([bit | len(payload)])
    elif len(payload) < 65536:
        head += bytes([bit | 126]) + len(payload).to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + len(payload).to_bytes(8, "big")
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


class Packer:
    """The sender's side of permessage-deflate."""

    def __init__(self, *, keeps_context: bool = True, bits: int = 15) -> None:
        self.keeps_context, self.bits = keeps_context, bits
        self._compressor = zlib.compressobj(wbits=-bits)

    def __call__(self, text: str) -> bytes:
        if not self.keeps_context:
            self._compressor = zlib.compressobj(wbits=-self.bits)
        packed = self._compressor.compress(text.encode()) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
        return packed.removesuffix(b"\x00\x00\xff\xff")


def event(kind: str, data: bytes | None, *, source: int = 7, time: int = 1000, is_hex: bool = False) -> dict[str, Any]:
    params: dict[str, Any] = {"byte_count": len(data or b"")}
    if data is not None:
        params |= {"hex_encoded_bytes": data.hex()} if is_hex else {"bytes": base64.b64encode(data).decode()}
    return {
        "params": params,
        "phase": 0,
        "source": {"id": source, "start_time": "1", "type": 10},
        "time": str(time),
        "type": TYPES[kind],
    }


def log(*events: dict[str, Any]) -> bytes:
    """As Chrome writes it: constants on one line, then an event a line."""
    constants = {
        "clientInfo": {"name": "Chromium", "version": "156.0", "command_line": f"--token={TOKEN}"},
        "logEventTypes": TYPES,
        "timeTickOffset": 1732270000000,
    }
    lines = ",\n".join(json.dumps(each) for each in events)
    return f'{{"constants":{json.dumps(constants)},\n"events": [\n{lines}],\n"polledData": {{}}\n}}\n'.encode()


def conversation(sent: list[bytes], received: list[bytes], *, extensions: str = "", tls: bool = True) -> bytes:
    """A log of one socket: the upgrade, what was sent, what came back."""
    prefix = "SSL_SOCKET_BYTES" if tls else "SOCKET_BYTES"
    asked, answered = upgrade(extensions)
    events = [event(f"{prefix}_SENT", asked), event(f"{prefix}_RECEIVED", answered, time=1001)]
    events += [event(f"{prefix}_SENT", data, time=1010 + n) for n, data in enumerate(sent)]
    events += [event(f"{prefix}_RECEIVED", data, time=1015 + n) for n, data in enumerate(received)]
    return log(*events)
