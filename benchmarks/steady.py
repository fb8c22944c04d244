"""A steady load at a rate that is asked for, in a process of its own: pings by the thousand, and a page now and then.

Everything is sent when it is due, whether or not what came before was answered (an open loop), on kept connections; a ping
is bytes made beforehand, its answer is counted and not parsed, so that 2,000 a second cost a twentieth of a core. Page
times count from the instant when the request was due.

`python -m benchmarks.steady` takes a `Plan` as JSON on stdin and prints an `Outcome` as JSON.
"""

import asyncio
import subprocess
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from benchmarks.figures import LOAD_CORE

ROOT = Path(__file__).resolve().parent.parent
PINGERS = 64
TICK_S = 0.001
SETTLE_S = 3.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    port: int
    key: str
    seconds: float
    pings_per_s: int
    pages_per_s: int = 0
    path: str = "/"
    cookie: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`pings_per_s` that were answered with 200; `unanswered` of them and of pages, or refused."""

    pings_per_s: float
    unanswered: int
    page_ms: list[float]
    page_bytes: int


def drive(plan: Plan) -> Outcome:
    """Run it on the core that is not the server's."""
    command = ["taskset", "-c", str(LOAD_CORE), sys.executable, "-m", "benchmarks.steady"]
    done = subprocess.run(command, input=msgspec.json.encode(plan), check=True, stdout=subprocess.PIPE, cwd=ROOT)
    return msgspec.json.decode(done.stdout, type=Outcome)


class _Pinger(asyncio.Protocol):
    def __init__(self) -> None:
        self.answered = 0
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's own is not a subclass

    def data_received(self, data: bytes) -> None:
        said = self._tail + data
        self.answered += said.count(b"HTTP/1.1 200 ")
        self._tail = said[-12:]  # one byte less than what is counted


def _ping(plan: Plan) -> tuple[bytes, bytes]:
    """What stands before and after the last twelve digits of a ping's id."""
    stem = f"{uuid.uuid4().hex[:8]}-0000-4000-8000-"
    before = b'{"timestamp_start":"2026-01-02T03:04:05.678Z","ping_id":"' + stem.encode()
    after = b'","source":{"location":"sp","datacenter":"d","country":"BR"}}'
    head = (
        f"POST /api/ping HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nX-API-Key: {plan.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(before) + 12 + len(after)}\r\n\r\n"
    )
    return head.encode() + before, after


async def _send_pings(plan: Plan, pingers: list[_Pinger]) -> int:
    before, after = _ping(plan)
    started, sent, total = time.perf_counter(), 0, round(plan.pings_per_s * plan.seconds)
    while sent < total:
        due = min(total, int((time.perf_counter() - started) * plan.pings_per_s))
        for number in range(sent, due):
            pingers[number % PINGERS].transport.write(b"%b%012d%b" % (before, number, after))
        sent = due
        await asyncio.sleep(TICK_S)
    return sent


class _Pages:
    """Requests of one page; a connection that is free is used again."""

    def __init__(self, plan: Plan) -> None:
        self._port = plan.port
        self._request = (
            f"GET {plan.path} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nAccept: text/html\r\nCookie: {plan.cookie}\r\n\r\n"
        ).encode()
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.times_ms: list[float] = []
        self.size = 0

    async def ask(self, due_at: float) -> None:
        way = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = way
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        self.size = len(await reader.readexactly(int(length.partition(b":")[2])))
        if head.startswith(b"HTTP/1.1 200 "):
            self.times_ms.append((time.perf_counter() - due_at) * 1000)
        self._free.append(way)


async def _send_pages(plan: Plan, pages: _Pages) -> int:
    started, total = time.perf_counter(), round(plan.pages_per_s * plan.seconds)
    tasks = set()
    for number in range(total):
        due_at = started + number / plan.pages_per_s
        await asyncio.sleep(due_at - time.perf_counter())
        tasks.add(asyncio.create_task(pages.ask(due_at)))
    await asyncio.wait(tasks, timeout=SETTLE_S) if tasks else None
    return total


async def run(plan: Plan) -> Outcome:
    loop = asyncio.get_running_loop()
    pingers = [(await loop.create_connection(_Pinger, "127.0.0.1", plan.port))[1] for _ in range(PINGERS)]
    pages = _Pages(plan)
    started = time.perf_counter()
    sent, asked = await asyncio.gather(_send_pings(plan, pingers), _send_pages(plan, pages))
    took_s = time.perf_counter() - started
    with suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_S):
            while sum(pinger.answered for pinger in pingers) < sent:  # noqa: ASYNC110 - counters, which tell nobody
                await asyncio.sleep(TICK_S)
    answered = sum(pinger.answered for pinger in pingers)
    return Outcome(
        pings_per_s=answered / took_s,
        unanswered=sent - answered + asked - len(pages.times_ms),
        page_ms=pages.times_ms,
        page_bytes=pages.size,
    )


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    outcome = uvloop.run(run(plan))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
