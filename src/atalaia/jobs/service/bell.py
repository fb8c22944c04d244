"""Who waits for jobs, and who is woken when there are some: the first that came, as many as there are jobs.

1. A request for leases that found nothing registers its waiter and looks again, so that nothing can come in between unseen.
2. After each commit that made jobs ready, `ring` wakes as many waiters of that type; they look again.
3. What another hub made ready comes by the store's live topic; who got all it asked for wakes the next one.
4. A wake-up that got lost is made up for by the pulse (loops), once a second.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Wanted(NamedTuple):
    """A type to run, or one to resolve."""

    type: str
    is_resolve: bool


class Waiter:
    __slots__ = ("event", "wanted")

    def __init__(self, wanted: frozenset[Wanted]) -> None:
        self.wanted = wanted
        self.event = asyncio.Event()


class Bell:
    def __init__(self) -> None:
        self._waiting: dict[Wanted, dict[Waiter, None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_released = False

    def register(self, wanted: frozenset[Wanted]) -> Waiter:
        self._loop = asyncio.get_running_loop()
        waiter = Waiter(wanted)
        for each in wanted:
            self._waiting.setdefault(each, {})[waiter] = None
        return waiter

    def unregister(self, waiter: Waiter) -> None:
        for each in waiter.wanted:
            queue = self._waiting.get(each)
            if queue is not None:
                queue.pop(waiter, None)
                if not queue:
                    del self._waiting[each]

    def wanted(self) -> list[Wanted]:
        return list(self._waiting)

    @property
    def has_waiters(self) -> bool:
        return bool(self._waiting)

    def ring_from_any_thread(self, ready: Mapping[Wanted, int]) -> None:
        if self._waiting and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.ring, ready)

    def ring(self, ready: Mapping[Wanted, int]) -> None:
        for wanted, count in ready.items():
            _wake(self._waiting.get(wanted, {}), count)

    def release(self) -> None:
        """The hub stops: nobody need wait any longer."""
        self.is_released = True
        for queue in self._waiting.values():
            _wake(queue, len(queue))


def _wake(waiters: Iterable[Waiter], count: int) -> None:
    for waiter in waiters:
        if count <= 0:
            return
        if not waiter.event.is_set():
            waiter.event.set()
            count -= 1
