"""What waits to be written, in the batches in which it came.

What one event loop submits goes over in one piece:
1. once a round of the loop has brought nothing more (GATHER_S at most), so that what comes in together shares a commit,
   instead of a first one with a single unit and a second with the rest;
2. where more than BUSY_PER_S units come in, not before PAUSE_S after the last piece: a commit costs as much as ten pings,
   and would else be made for one or two. Who writes alone never waits for company.
"""

import asyncio
import queue
import threading
import time

from atalaia.core.errors import Overloaded
from atalaia.store.work import Work

GATHER_S = 0.004
PAUSE_S = 0.002
BUSY_PER_S = 1_000
WINDOW_S = 0.1


class Inbox:
    def __init__(self) -> None:
        self._batches: queue.SimpleQueue[list[Work] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[Work]] = {}
        self._lock = threading.Lock()
        self._waiting = 0
        self._pace = Pace()

    @property
    def depth(self) -> int:
        """Units that wait."""
        return self._waiting + sum(len(works) for works in list(self._gathered.values()))

    def put(self, work: Work, *, limit: int) -> None:
        """Called on the loop that `work` names, or on any thread where it names none.

        Raises:
            Overloaded: `limit` units wait already; nothing was queued.
        """
        loop = work.loop
        gathered = None if loop is None else self._gathered.get(loop)
        if self._waiting + (len(gathered) if gathered else 0) >= limit:
            raise Overloaded("too many writes are waiting", retry_after_s=1)
        if gathered is not None:
            gathered.append(work)
        elif loop is None:
            self._queue([work])
        else:
            self._gathered[loop] = [work]
            loop.call_soon(self._look_again, loop, 1, time.monotonic() + GATHER_S)

    def take(self, most: int) -> tuple[list[Work], bool]:
        """Wait for work; all that is there, up to about `most` units, and whether it was the last."""
        first = self._batches.get()
        is_last = first is None
        group = first or []
        while not is_last and len(group) < most:
            try:
                batch = self._batches.get_nowait()
            except queue.Empty:
                break
            is_last = batch is None
            group += batch or []
        with self._lock:
            self._waiting -= len(group)
        return group, is_last

    def end(self) -> None:
        """What is still gathered goes over; nothing comes after it."""
        for loop in list(self._gathered):
            self._hand_over(loop)
        self._batches.put(None)

    def _look_again(self, loop: asyncio.AbstractEventLoop, seen: int, until: float) -> None:
        gathered, now = self._gathered.get(loop), time.monotonic()
        if gathered is None:  # the store was closed meanwhile
            return
        if len(gathered) > seen and now < until:
            loop.call_soon(self._look_again, loop, len(gathered), until)
            return
        pause_s = self._pace.pause_s(now)
        if pause_s > 0:
            loop.call_later(pause_s, self._hand_over, loop)
        else:
            self._hand_over(loop)

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        works = self._gathered.pop(loop, None)
        if works:
            self._pace.note(len(works), time.monotonic())
            self._queue(works)

    def _queue(self, works: list[Work]) -> None:
        with self._lock:
            self._waiting += len(works)
        self._batches.put(works)


class Pace:
    """How long to wait for more, by how much came in lately; instants are of one monotonic clock."""

    def __init__(self) -> None:
        self._window_began = 0.0
        self._units = 0
        self._is_busy = False
        self._handed_over = 0.0

    def note(self, units: int, now: float) -> None:
        """So many units are handed over."""
        self._handed_over = now
        passed_s = now - self._window_began
        if passed_s >= WINDOW_S:
            self._is_busy = self._units >= BUSY_PER_S * passed_s
            self._window_began, self._units = now, 0
        self._units += units

    def pause_s(self, now: float) -> float:
        return max(0.0, self._handed_over + PAUSE_S - now) if self._is_busy else 0.0
