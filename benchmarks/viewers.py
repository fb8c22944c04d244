"""People who look at a live page, each as a browser does: a stream of events, and the part fetched anew where one tells of it.

What web/static/js/live.js does is done here: news are gathered for 400 ms, then the part is asked for, on a kept connection
or a new one where the server has closed it.

`python -m benchmarks.viewers` takes a `Plan` as JSON on stdin; it says "ready" once all streams are open, and at the end
prints an `Outcome` as JSON.
"""

import asyncio
import contextlib
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen
from typing import cast

import msgspec
import uvloop

from benchmarks.figures import LOAD_CORE

ROOT = Path(__file__).resolve().parent.parent
GATHER_S = 0.4  # as live.js
OPENED_AT_ONCE = 25
READY = b"ready\n"


class Viewer(msgspec.Struct, frozen=True):
    cookie: str
    language: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    port: int
    page: str
    part: str
    topic: str
    seconds: float
    viewers: list[Viewer]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`fetches`: when the news came, and when the part was there (seconds since the epoch), of those answered with 200."""

    fetches: list[tuple[float, float]]
    failed: int
    part_bytes: int


class Crowd:
    """The process that looks on, on the core that is not the server's."""

    def __init__(self, plan: Plan) -> None:
        command = ["taskset", "-c", str(LOAD_CORE), sys.executable, "-m", "benchmarks.viewers"]
        self._process = Popen(command, stdin=PIPE, stdout=PIPE, cwd=ROOT)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._stdin.write(msgspec.json.encode(plan) + b"\n")
        self._stdin.flush()
        if self._stdout.readline() != READY:
            raise RuntimeError("the viewers could not open the page")

    def end(self) -> Outcome:
        outcome = msgspec.json.decode(self._stdout.read(), type=Outcome)
        self._process.wait(30)
        return outcome


class _Stream(asyncio.Protocol):
    """A stream of events, of which one topic counts."""

    def __init__(self, request: bytes, needle: bytes) -> None:
        self._request = request
        self._needle = needle
        self._tail = b""
        self.is_open = asyncio.Event()
        self.news = asyncio.Event()
        self.heard_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        said = self._tail + data
        if not self.is_open.is_set() and b"text/event-stream" in said:
            self.is_open.set()
        at = said.rfind(self._needle)
        if at >= 0 and not self.news.is_set():
            self.heard_at = time.time()
            self.news.set()
        self._tail = said[max(at + len(self._needle), len(said) - len(self._needle) + 1) :] if at >= 0 else said[-64:]


class _Person:
    def __init__(self, plan: Plan, viewer: Viewer, outcome: list[tuple[float, float]]) -> None:
        self._port = plan.port
        self._head = (
            f"Host: 127.0.0.1:{plan.port}\r\nCookie: {viewer.cookie}\r\nAccept-Language: {viewer.language}\r\n"
            "Accept-Encoding: gzip, deflate\r\n"
        )
        self._plan = plan
        self._fetches = outcome
        self._way: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.failed = 0
        self.size = 0
        needle = b'data: {"topic":"%s"' % plan.topic.encode()
        self._stream = _Stream(self._ask("/events", "Accept: text/event-stream\r\n"), needle)

    async def open(self) -> None:
        await self._get(self._plan.page, "Accept: text/html\r\n")
        await asyncio.get_running_loop().create_connection(lambda: self._stream, "127.0.0.1", self._port)
        await asyncio.wait_for(self._stream.is_open.wait(), 30)
        await self._fetch()  # what is marked data-live-fresh asks as soon as the stream is open

    async def look(self) -> None:
        while True:
            await self._stream.news.wait()
            heard_at = self._stream.heard_at
            await asyncio.sleep(GATHER_S)
            self._stream.news.clear()
            if await self._fetch():
                self._fetches.append((heard_at, time.time()))

    async def _fetch(self) -> bool:
        status = 0
        for _ in range(2):  # as browsers do where the server closes a kept connection just then
            try:
                status = await self._get(self._plan.part, "Accept: */*\r\nHX-Request: true\r\n")
            except (OSError, asyncio.IncompleteReadError):
                self._way = None
            else:
                break
        self.failed += status != 200
        return status == 200

    def _ask(self, path: str, more: str) -> bytes:
        return f"GET {path} HTTP/1.1\r\n{self._head}{more}\r\n".encode()

    async def _get(self, path: str, more: str) -> int:
        if self._way is None or self._way[0].at_eof() or self._way[1].is_closing():
            self._way = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._way
        writer.write(self._ask(path, more))
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        self.size = len(await reader.readexactly(int(length.partition(b":")[2])))
        return int(head[9:12])


async def run(plan: Plan) -> Outcome:
    fetches: list[tuple[float, float]] = []
    people = [_Person(plan, viewer, fetches) for viewer in plan.viewers]
    for start in range(0, len(people), OPENED_AT_ONCE):
        await asyncio.gather(*(each.open() for each in people[start : start + OPENED_AT_ONCE]))
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    fetches.clear()
    looking = asyncio.gather(*(each.look() for each in people))
    with contextlib.suppress(TimeoutError, asyncio.CancelledError):
        await asyncio.wait_for(looking, plan.seconds)
    return Outcome(fetches=fetches, failed=sum(each.failed for each in people), part_bytes=people[0].size)


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    outcome = uvloop.run(run(plan))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
