"""Units of work on their way through the writer."""

import asyncio
import concurrent.futures
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from atalaia.sdk.transaction import Tx

P = TypeVar("P")
R = TypeVar("R")


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
