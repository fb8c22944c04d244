"""Who follows a single job: woken by what changed of it, in this hub or in another."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from atalaia.jobs.service.news import TOPIC
from atalaia.store.live import Live


class Followed:
    __slots__ = ("changed", "is_over", "job_id")

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.changed = asyncio.Event()
        self.is_over = False

    def end(self) -> None:
        self.is_over = True
        self.changed.set()


class Following:
    def __init__(self, live: Live) -> None:
        self._live = live
        self._all: set[Followed] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def count(self) -> int:
        return len(self._all)

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = self._live.subscribe(self._on_live)

    async def stop(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    @contextmanager
    def follow(self, job_id: str) -> Iterator[Followed]:
        followed = Followed(job_id)
        self._all.add(followed)
        try:
            yield followed
        finally:
            self._all.discard(followed)

    def release(self) -> None:
        for followed in self._all:
            followed.end()

    def _on_live(self, topic: str, id: str) -> None:
        if topic == TOPIC and self._all and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._spread, id)

    def _spread(self, id: str) -> None:
        for followed in self._all:
            if not id or followed.job_id == id:
                followed.changed.set()
