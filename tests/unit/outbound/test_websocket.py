import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from atalaia.core.errors import InvalidField, TargetRefused
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.limits import Limits
from atalaia.outbound.websocket import WebSocket, open_websocket
from atalaia.sdk.failures import AuthExpired, BadPayload, PermanentFailure, TemporaryFailure
from tests.unit.outbound.socket_server import Line, SocketServer, socket_server

TOKEN = "t0ken-in-the-path"
Use = Callable[[WebSocket, SocketServer], Awaitable[None]]


async def _nothing(line: Line) -> None:
    await line.receive()


async def _unused(_socket: WebSocket, _server: SocketServer) -> None:
    raise AssertionError("it is not to open")


def _visit(
    use: Use,
    talk: Callable[[Line], Awaitable[None]] = _nothing,
    *statuses: int,
    trust: Trust = Trust.CONFIGURED,
    limits: Limits | None = None,
) -> SocketServer:
    async def run() -> SocketServer:
        http = HttpClient(Guard())
        try:
            async with socket_server(talk, *statuses) as server:
                url = f"ws://127.0.0.1:{server.port}/{TOKEN}/json?defragment=1"
                headers = {"Origin": "https://app.test", "User-Agent": "Browser/1"}
                async with open_websocket(http, url, headers=headers, trust=trust, limits=limits or Limits()) as socket:
                    await use(socket, server)
                return server
        finally:
            await http.aclose()

    return asyncio.run(run())


def test_the_handshake_says_what_it_is_told_to_and_offers_compression() -> None:
    async def use(_socket: WebSocket, server: SocketServer) -> None:
        line = server.lines[0]
        assert line.path == f"/{TOKEN}/json?defragment=1"
        assert (line.headers["origin"], line.headers["user-agent"]) == ("https://app.test", "Browser/1")
        assert "permessage-deflate" in line.headers["sec-websocket-extensions"]
        assert "cookie" not in line.headers

    _visit(use)


def test_a_text_goes_out_to_the_byte() -> None:
    text = '{"a":1.0,"a":"1","é":"\\u00e9","n":1e0}%7B \x00'
    got: list[bytes] = []

    async def talk(line: Line) -> None:
        got.append(await line.receive())
        await line.send(b"seen")

    async def use(socket: WebSocket, _server: SocketServer) -> None:
        await socket.send(text)
        assert await socket.receive(within_s=60) == "seen"

    _visit(use, talk)
    assert got == [text.encode()]


def test_fragments_and_binary_messages_come_as_one_text() -> None:
    async def talk(line: Line) -> None:
        word = "começo e fim".encode()
        await line.send(word[:4], is_last=False)  # in the middle of a character
        await line.send(b"", opcode=9)  # a ping between them is answered, and shown to nobody
        await line.send(word[4:], opcode=0)
        await line.send(b'{"a":1}\x00\x00', opcode=2)
        await line.receive()

    async def use(socket: WebSocket, _server: SocketServer) -> None:
        assert await socket.receive(within_s=60) == "começo e fim"
        assert await socket.receive(within_s=60) == '{"a":1}\x00\x00'

    _visit(use, talk)


def test_silence_is_no_message_and_loses_none() -> None:
    said = asyncio.Event()

    async def talk(line: Line) -> None:
        await said.wait()
        await line.send(b"at last")
        await line.receive()

    async def use(socket: WebSocket, _server: SocketServer) -> None:
        assert await socket.receive(within_s=0.01) is None
        said.set()
        assert await socket.receive(within_s=60) == "at last"

    _visit(use, talk)


def test_a_close_is_told_with_its_reason() -> None:
    async def talk(line: Line) -> None:
        await line.send(b"\x03\xe9going away", opcode=8)
        await line.receive()

    async def use(socket: WebSocket, _server: SocketServer) -> None:
        with pytest.raises(TemporaryFailure, match="1001 going away"):
            await socket.receive(within_s=60)
        assert socket.close_reason == "1001 going away"
        with pytest.raises(TemporaryFailure, match="closed"):
            await socket.send("too late")

    _visit(use, talk)


def test_a_cut_line_is_a_close_too() -> None:
    async def talk(line: Line) -> None:
        await line.send(b"last words")
        line.writer.transport.abort()

    async def use(socket: WebSocket, _server: SocketServer) -> None:
        assert [text async for text in socket] == ["last words"]
        assert socket.close_reason is not None
        assert socket.close_reason.startswith("1006")

    _visit(use, talk)


@pytest.mark.parametrize(("opcode", "payload"), [(1, b"\xff\xfe"), (2, b"\xff\xfe"), (1, b"x" * 2000)])
def test_a_message_that_can_not_be_read_is_a_bad_payload(opcode: int, payload: bytes) -> None:
    async def talk(line: Line) -> None:
        await line.send(payload, opcode=opcode)
        await line.receive()

    async def use(socket: WebSocket, _server: SocketServer) -> None:
        with pytest.raises(BadPayload):
            await socket.receive(within_s=60)

    _visit(use, talk, limits=Limits(body_bytes=1000))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthExpired),
        (403, AuthExpired),
        (404, PermanentFailure),
        (302, PermanentFailure),
        (429, TemporaryFailure),
        (503, TemporaryFailure),
    ],
)
def test_a_refused_handshake_says_why_without_the_address(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        _visit(_unused, _nothing, status)
    assert TOKEN not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_server_that_never_answers_is_given_up() -> None:
    async def run() -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await reader.read()
            writer.close()

        http = HttpClient(Guard())
        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        try:
            with pytest.raises(TemporaryFailure, match="No WebSocket"):
                async with open_websocket(
                    http, url, trust=Trust.CONFIGURED, limits=Limits(connect_s=0.05, read_s=0.05)
                ):
                    pass
        finally:
            await http.aclose()
            server.close()

    asyncio.run(run())


def test_the_guard_holds_for_sockets_too() -> None:
    with pytest.raises(TargetRefused):
        _visit(_unused, trust=Trust.TYPED)


@pytest.mark.parametrize("url", ["http://host/", "ws://", "ws://host:0/", "ws://ho st/", "nonsense"])
def test_what_is_no_socket_address_is_refused(url: str) -> None:
    async def run() -> None:
        http = HttpClient(Guard())
        with pytest.raises(InvalidField):
            async with open_websocket(http, url):
                pass

    asyncio.run(run())
