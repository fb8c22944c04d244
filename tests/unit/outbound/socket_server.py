"""A WebSocket server on loopback, on raw bytes: what a library would not send can be sent too."""

import asyncio
import base64
import hashlib
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


@dataclass
class Line:
    """One connection: what the client asked with, and frames both ways."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    path: str
    headers: dict[str, str]

    async def send(self, payload: bytes, *, opcode: int = 1, is_last: bool = True) -> None:
        first = (0x80 if is_last else 0) | opcode
        size = len(payload)
        head = bytes([first, size]) if size < 126 else bytes([first, 126]) + struct.pack("!H", size)
        self.writer.write(head + payload)
        await self.writer.drain()

    async def receive(self) -> bytes:
        """The payload of the next frame, of whatever kind, unmasked."""
        _, size = await self.reader.readexactly(2)
        size &= 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        mask = await self.reader.readexactly(4)
        masked = await self.reader.readexactly(size)
        return bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked))


Talk = Callable[[Line], Awaitable[None]]


@dataclass
class SocketServer:
    """`statuses`: what the first handshakes are answered by, one each; then 101."""

    talk: Talk
    statuses: list[int] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    port: int = 0
    serving: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving[task] = writer
        try:
            line = await self._shake(reader, writer)
            if line is not None:
                await self.talk(line)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the test is over
        finally:
            writer.close()

    async def _shake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Line | None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in request[1:])}
        line = Line(reader, writer, request[0].split(" ")[1], headers)
        self.lines.append(line)
        if self.statuses:
            writer.write(
                f"HTTP/1.1 {self.statuses.pop(0)} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
            return None
        accept = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + _GUID).encode()).digest()).decode()  # noqa: S324 - RFC 6455
        writer.write(
            "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
        )
        return line


@asynccontextmanager
async def socket_server(talk: Talk, *statuses: int) -> AsyncIterator[SocketServer]:
    made = SocketServer(talk, list(statuses))
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for task, writer in made.serving.items():
            task.cancel()
            writer.transport.abort()
        closed = [writer.wait_closed() for writer in made.serving.values()]
        await asyncio.gather(*made.serving, *closed, return_exceptions=True)
