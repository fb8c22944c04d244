"""When the next job's time comes: said from any thread, rung on the event loop."""

import asyncio
from collections.abc import Callable

from atalaia.core.clock import Clock, to_ms

FAR_MS = 2**62
LONGEST_S = 1.0


class Alarm:
    """`wake` is set at that time; what is further away than LONGEST_S is asked for again by whoever is woken in between."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.next_due_ms = 0
        self.wake = asyncio.Event()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def due_at(self, due_ms: int) -> None:
        """Something becomes due then; from any thread."""
        if due_ms < self.next_due_ms:
            self.next_due_ms = due_ms
            self._call(self.set_timer)

    def ring(self) -> None:
        """Now; from any thread."""
        self._call(self.wake.set)

    def set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        seconds = (self.next_due_ms - to_ms(self._clock.now())) / 1000
        if self._loop is not None and seconds < LONGEST_S:
            self._timer = self._loop.call_later(max(0.0, seconds), self.wake.set)

    def _call(self, work: Callable[[], None]) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)
