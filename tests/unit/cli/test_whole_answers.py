"""What leaves in one piece is what the server itself would have said, byte for byte; and idle lines are closed with a timer a line."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from atalaia.cli.slow_senders import PatientProtocol
from atalaia.web.answers import JSON, TEXT, send_bytes, send_json, send_nothing

KEPT_S = 75
DATE = [(b"date", b"Mon, 23 Nov 2026 00:25:19 GMT")]
LENGTH = (b"content-length", b"2")
START, BODY = "http.response.start", "http.response.body"
GET = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n"


class Line(asyncio.Transport):
    """What is written, write for write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: Any) -> None:
        if data:
            self.writes.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 80) if name in {"sockname", "peername"} else default

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Loop:
    """The running one, with a clock that is set by hand and timers that fire when it is."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._timers: list[tuple[float, Callable[..., Any], tuple[Any, ...], asyncio.TimerHandle]] = []
        self.made = 0

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[..., Any], *arguments: Any) -> asyncio.TimerHandle:
        self.made += 1
        when = self._now + delay
        handle = asyncio.TimerHandle(when, callback, arguments, asyncio.get_running_loop())
        self._timers.append((when, callback, arguments, handle))
        return handle

    def pass_s(self, seconds: float) -> None:
        until = self._now + seconds
        while due := [timer for timer in self._timers if timer[0] <= until]:
            timer = min(due, key=lambda each: each[0])
            self._timers.remove(timer)
            self._now = max(self._now, timer[0])
            if not timer[3].cancelled():
                timer[1](*timer[2])
        self._now = until

    @property
    def waiting(self) -> int:
        return sum(not timer[3].cancelled() for timer in self._timers)

    def create_task(self, work: Any) -> Any:
        return asyncio.get_running_loop().create_task(work)


class Served:
    """A line to an application, on which is said what a test says."""

    def __init__(self, app: Any, kind: type[HttpToolsProtocol] = PatientProtocol) -> None:
        config = uvicorn.Config(
            app, http=kind, lifespan="off", access_log=False, log_config=None, timeout_keep_alive=KEPT_S
        )
        config.load()
        state = ServerState()
        state.default_headers = DATE
        self.loop = Loop()
        self.protocol = kind(config, state, {}, _loop=self.loop)  # type: ignore[arg-type] # as much of one as it needs
        self.line = Line()
        self.protocol.connection_made(self.line)
        self._tasks = state.tasks

    async def ask(self, request: bytes) -> None:
        self.protocol.data_received(request)
        while self._tasks:
            await asyncio.gather(*self._tasks)


async def short(_scope: Any, _receive: Any, send: Any) -> None:
    await send_bytes(send, 200, b'{"a":1}', (JSON,))


async def plain_text(_scope: Any, _receive: Any, send: Any) -> None:
    await send_bytes(send, 201, b"ok", (TEXT,))


async def empty(_scope: Any, _receive: Any, send: Any) -> None:
    await send_bytes(send, 200, b"", (JSON,))


async def nothing(_scope: Any, _receive: Any, send: Any) -> None:
    await send_nothing(send)


async def with_more_headers(_scope: Any, _receive: Any, send: Any) -> None:
    await send_json(send, 429, {}, ((b"retry-after", b"3"),))


async def in_parts(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": START, "status": 200, "headers": [JSON, LENGTH]})
    await send({"type": BODY, "body": b"o", "more_body": True})
    await send({"type": BODY, "body": b"k"})


async def of_unknown_length(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": START, "status": 200, "headers": [JSON]})
    await send({"type": BODY, "body": b"ok"})


async def longer_than_it_said(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": START, "status": 200, "headers": [JSON, LENGTH]})
    await send({"type": BODY, "body": b"longer"})


async def raising_before_the_body(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": START, "status": 200, "headers": [JSON, LENGTH]})
    await send({"type": BODY, "more_body": True})
    raise ValueError("no")


APPS = [short, plain_text, empty, nothing, with_more_headers, in_parts, of_unknown_length, longer_than_it_said]
REQUESTS = [
    GET,
    GET.replace(b"GET", b"HEAD"),
    GET.replace(b"1.1", b"1.0"),
    GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    GET + GET + GET,
    b"POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("app", [*APPS, raising_before_the_body])
@pytest.mark.parametrize("request_", REQUESTS)
def test_all_that_is_said_is_what_the_server_would_say(app: Any, request_: bytes) -> None:
    async def said(kind: type[HttpToolsProtocol]) -> tuple[bytes, bool]:
        served = Served(app, kind)
        await served.ask(request_)
        return b"".join(served.line.writes), served.line.is_closed

    assert asyncio.run(said(PatientProtocol)) == asyncio.run(said(HttpToolsProtocol))


@pytest.mark.parametrize("app", [short, plain_text, nothing])
def test_a_short_answer_leaves_in_one_write(app: Any) -> None:
    async def main() -> None:
        served = Served(app)
        for count in (1, 2, 3):
            await served.ask(GET)
            assert len(served.line.writes) == count

    asyncio.run(main())


def test_what_comes_in_parts_leaves_as_it_comes() -> None:
    async def main() -> None:
        served = Served(in_parts)
        await served.ask(GET)
        assert [write[-2:] for write in served.line.writes] == [b"\r\n" * 1, b"o", b"k"]

    asyncio.run(main())


def test_a_line_is_closed_once_nothing_was_asked_for_as_long_as_lines_are_kept() -> None:
    async def main() -> None:
        served = Served(short)
        await served.ask(GET)
        served.loop.pass_s(KEPT_S - 1)
        await served.ask(GET)
        served.loop.pass_s(KEPT_S - 1)
        assert not served.line.is_closed
        served.loop.pass_s(1)
        assert served.line.is_closed

    asyncio.run(main())


def test_a_line_is_not_idle_while_it_is_worked_on() -> None:
    async def main() -> None:
        going = asyncio.Event()
        answers = 0

        async def slow_the_second_time(scope: Any, receive: Any, send: Any) -> None:
            nonlocal answers
            answers += 1
            if answers == 2:
                await going.wait()
            await short(scope, receive, send)

        served = Served(slow_the_second_time)
        await served.ask(GET)
        asking = asyncio.create_task(served.ask(GET))
        await asyncio.sleep(0)
        served.loop.pass_s(10 * KEPT_S)
        assert not served.line.is_closed
        going.set()
        await asking
        served.loop.pass_s(KEPT_S - 1)
        assert not served.line.is_closed
        served.loop.pass_s(1)
        assert served.line.is_closed

    asyncio.run(main())


def test_many_requests_on_a_line_make_one_timer_and_leave_none_behind() -> None:
    async def main() -> None:
        served = Served(short)
        before = served.loop.made
        for _ in range(20):
            await served.ask(GET)
        assert served.loop.made == before + 1
        served.protocol.connection_lost(None)
        assert served.loop.waiting == 0

    asyncio.run(main())
