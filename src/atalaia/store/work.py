"""Units of work on their way through the writer."""

import asyncio
import concurrent.futures
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from atalaia.core.errors import Overloaded
from atalaia.sdk.transaction import Tx

P = TypeVar("P")
R = TypeVar("R")
GATHER_S = 0.004


@dataclass(frozen=True, eq=False)
class Merged(Generic[P, R]):
    """Many small units of one kind, run as one: `run` takes all payloads that wait and gives a result for each.

    When `run` raises, each payload is run alone, so that a bad one fails alone.
    """

    name: str
    run: Callable[[Tx, Sequence[P]], Sequence[R]]


@dataclass(slots=True, eq=False)
class Work:
    """A unit (or a payload of a merged one), the one who waits for it, and what came of it."""

    unit: Callable[[Tx], Any] | None
    merged: Merged[Any, Any] | None
    payload: Any
    waiter: "asyncio.Future[Any] | concurrent.futures.Future[Any]"
    loop: asyncio.AbstractEventLoop | None
    value: Any = field(default=None, init=False)
    error: BaseException | None = field(default=None, init=False)


def settle(done: Sequence[Work]) -> None:
    """Answer all that waited, with one wake-up for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Work]] = {}
    for work in done:
        if work.loop is None:
            _resolve([work])
        else:
            by_loop.setdefault(work.loop, []).append(work)
    for loop, works in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, works)


def _resolve(works: Sequence[Work]) -> None:
    for work in works:
        waiter = work.waiter
        if waiter.done():  # the one who waited has gone; the work is committed all the same
            continue
        if work.error is None:
            waiter.set_result(work.value)
        else:
            waiter.set_exception(work.error)


class Inbox:
    """What waits to be written, in the batches in which it came.

    What one event loop submits goes over in one piece once a round of the loop has brought nothing more (GATHER_S at most):
    under load one commit carries what came in together, instead of a first one with a single unit and a second with the rest.
    """

    def __init__(self) -> None:
        self._batches: queue.SimpleQueue[list[Work] | None] = queue.SimpleQueue()
        self._gathered: dict[asyncio.AbstractEventLoop, list[Work]] = {}
        self._lock = threading.Lock()
        self._waiting = 0

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
            self._hand_over([work])
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
            self._hand_over(self._gathered.pop(loop, []))
        self._batches.put(None)

    def _look_again(self, loop: asyncio.AbstractEventLoop, seen: int, until: float) -> None:
        gathered = self._gathered.get(loop)
        if gathered is None:  # the store was closed meanwhile
            return
        if len(gathered) > seen and time.monotonic() < until:
            loop.call_soon(self._look_again, loop, len(gathered), until)
        else:
            self._hand_over(self._gathered.pop(loop, []))

    def _hand_over(self, works: list[Work]) -> None:
        with self._lock:
            self._waiting += len(works)
        self._batches.put(works)
