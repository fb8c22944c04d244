"""A stub hub, and a worker in a thread of its own."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest

from atalaia.sdk.jobs import Handler, JobType
from atalaia.worker.options import WorkerOptions
from atalaia.worker.worker import Exit, Worker
from tests.unit.worker.stub_hub import StubHub


class Anything(msgspec.Struct):
    amount: int = 0


def job_type(run: Handler, *, name: str = "demo", resolve: Handler | None = None, **more: Any) -> JobType:
    return JobType(name=name, title=name, payload=Anything, run=run, resolve=resolve, **more)


class Running:
    """A worker that runs in a thread; `exit` is its status once it has ended."""

    def __init__(self, hub: StubHub, types: Sequence[JobType], **options: Any) -> None:
        given = {"wait_s": 0.2, "concurrency": 4, "name": "w1", **options}
        self.worker = Worker(WorkerOptions(hub=hub.url, key="k" * 32, **given), types)
        self.exit: Exit | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.loop: asyncio.AbstractEventLoop | None = None
        self._started = threading.Event()
        self.thread.start()
        assert self._started.wait(60)

    def _run(self) -> None:
        async def run() -> Exit:
            self.loop = asyncio.get_running_loop()
            self._started.set()
            return await self.worker.run()

        self.exit = asyncio.run(run())

    def drain(self) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.worker.drain)

    def stop(self) -> Exit:
        """Drain; its exit status."""
        if self.thread.is_alive():
            self.drain()
        return self.join()

    def join(self) -> Exit:
        self.thread.join(60)
        assert self.exit is not None
        return self.exit


@contextlib.contextmanager
def on_lease(ttl_s: float, run: Handler, **options: Any) -> Iterator[StubHub]:
    """A hub whose leases live for `ttl_s`, and a worker for whatever it offers."""
    with contextlib.closing(StubHub(ttl_ms=round(ttl_s * 1000))) as hub:
        running = Running(hub, [job_type(run)], ttl_s=ttl_s, **options)
        try:
            yield hub
        finally:
            running.stop()


@pytest.fixture
def hub() -> Iterator[StubHub]:
    hub = StubHub()
    yield hub
    hub.close()


@pytest.fixture
def start(hub: StubHub) -> Iterator[Callable[..., Running]]:
    running: list[Running] = []

    def make(*types: JobType, **options: Any) -> Running:
        running.append(Running(hub, types, **options))
        return running[-1]

    yield make
    for each in running:
        if each.thread.is_alive():
            each.drain()
            each.drain()
            each.thread.join(60)
