"""Who says little for long is cut; who is slow at something long, and who waits for a slow answer, is not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from atalaia.cli import slow_senders
from atalaia.cli.slow_senders import PatientProtocol
from tests.servers import free_port
from tests.stillness import unhurried

HEAD = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\n\r\n"


class Hasty(PatientProtocol):
    head_s = 0.4
    body_look_s = 0.4


class Line:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def dribble(self, data: bytes, *, every_s: float = 0.05) -> None:
        """Until it is all said, or nobody listens any more."""
        for byte in data:
            if self._reader.at_eof():
                return
            await self.say(bytes([byte]))
            await asyncio.sleep(every_s)

    async def hear(self) -> bytes:
        """All, until the other side closes: perhaps while something was still on its way to it, which is a reset."""
        heard = b""
        async with asyncio.timeout(60):
            try:
                while part := await self._reader.read(65_536):
                    heard += part
            except ConnectionError:
                heard += bytes(self._reader._buffer)  # type: ignore[attr-defined]  # what came with the reset
        return heard

    async def hear_answer(self) -> bytes:
        async with asyncio.timeout(60):
            head = await self._reader.readuntil(b"\r\n\r\n")
            return head + await self._reader.readexactly(2)

    def close(self) -> None:
        self._writer.close()


async def answer(scope: Any, receive: Any, send: Any) -> None:
    is_there = True
    while is_there:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        is_there = message.get("more_body", False)
    if scope["path"].startswith("/slow/"):
        await asyncio.sleep(float(scope["path"].rpartition("/")[2]))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def talk(conversation: Callable[[Line], Awaitable[None]], *, protocol: type[PatientProtocol] = Hasty) -> None:
    async def main() -> None:
        port = free_port()
        config = uvicorn.Config(
            answer, http=protocol, lifespan="off", log_config=None, port=port, timeout_keep_alive=60
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        line = Line(*await asyncio.open_connection("127.0.0.1", port))
        try:
            await conversation(line)
        finally:
            line.close()
            server.should_exit = True
            await serving

    asyncio.run(main())


def test_a_line_that_says_nothing_is_closed_without_a_word() -> None:
    async def conversation(line: Line) -> None:
        assert await line.hear() == b""

    talk(conversation)


@pytest.mark.parametrize("start", [b"GET / HTTP/1.1\r\nX-A: ", b"\r\n" * 2])
def test_a_head_that_dribbles_is_cut(start: bytes) -> None:
    async def conversation(line: Line) -> None:
        await line.say(start)
        # Parallel, since the other side closes in the middle of it.
        saying = asyncio.create_task(line.dribble(b"a" * 400 if start[:1] == b"G" else b"\r\n" * 200))
        heard = await line.hear()
        saying.cancel()
        assert heard.startswith(b"HTTP/1.1 408 ")

    talk(conversation)


def test_a_body_that_dribbles_is_cut() -> None:
    async def conversation(line: Line) -> None:
        await line.say(HEAD.replace(b": 6", b": 600"))
        saying = asyncio.create_task(line.dribble(b"a" * 600))
        heard = await line.hear()
        saying.cancel()
        assert heard.startswith(b"HTTP/1.1 408 ")

    talk(conversation)


def test_a_body_that_never_comes_is_cut() -> None:
    async def conversation(line: Line) -> None:
        await line.say(HEAD)
        assert (await line.hear()).startswith(b"HTTP/1.1 408 ")

    talk(conversation)


def test_a_long_body_may_take_its_time_as_long_as_it_comes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_senders, "BODY_LEAST_BYTES", 20)

    def scene(slower: float) -> None:
        hasty = less_hasty(slower)

        async def conversation(line: Line) -> None:
            began = time.monotonic()
            await line.say(HEAD.replace(b": 6", b": 2000"))
            for _ in range(20):
                await line.say(b"a" * 100)
                await asyncio.sleep(0.06 * slower)
            assert (await line.hear_answer()).startswith(b"HTTP/1.1 200 ")
            assert time.monotonic() - began > 2 * hasty.body_look_s

        talk(conversation, protocol=hasty)

    unhurried(scene, bears_s=0.2)


def test_a_slow_answer_and_a_kept_line_are_no_fault_of_the_sender() -> None:
    def scene(slower: float) -> None:
        hasty = less_hasty(slower)
        slow = f"GET /slow/{2.2 * hasty.head_s} HTTP/1.1\r\nHost: h\r\n\r\n".encode()

        async def conversation(line: Line) -> None:
            for _ in range(2):
                await line.say(slow)
                assert (await line.hear_answer()).startswith(b"HTTP/1.1 200 ")
            await asyncio.sleep(2 * hasty.head_s)
            await line.say(HEAD + b"abcdef")
            assert (await line.hear_answer()).endswith(b"ok")
            await line.say(b"GE")
            assert (await line.hear()).startswith(b"HTTP/1.1 408 ")

        talk(conversation, protocol=hasty)

    unhurried(scene, bears_s=0.2)


def less_hasty(slower: float) -> type[PatientProtocol]:
    return type("LessHasty", (Hasty,), {"head_s": Hasty.head_s * slower, "body_look_s": Hasty.body_look_s * slower})
