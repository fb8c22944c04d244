"""Units of work on their way through the writer."""

import asyncio
import concurrent.futures
import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from atalaia.sdk.transaction import Tx

P = TypeVar("P")
R = TypeVar("R")

Outcome = tuple[Any, BaseException | None]


@dataclass(frozen=True, eq=False)
class Merged(Generic[P, R]):
    """Many small units of one kind, run as one: `run` takes all payloads that wait and gives a result for each.

    When `run` raises, each payload is run alone, so that a bad one fails alone.
    """

    name: str
    run: Callable[[Tx, Sequence[P]], Sequence[R]]


@dataclass(slots=True)
class Work:
    """A unit (or a payload of a merged one) and the one who waits for it."""

    unit: Callable[[Tx], Any] | None
    merged: Merged[Any, Any] | None
    payload: Any
    waiter: "asyncio.Future[Any] | concurrent.futures.Future[Any]"
    loop: asyncio.AbstractEventLoop | None


def settle(done: Sequence[tuple[Work, Outcome]]) -> None:
    """Answer all that waited, with one wake-up for each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Work, Outcome]]] = {}
    for work, outcome in done:
        if work.loop is None:
            _resolve(work.waiter, outcome)
        else:
            by_loop.setdefault(work.loop, []).append((work, outcome))
    for loop, answers in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve_all, answers)


def _resolve_all(answers: list[tuple[Work, Outcome]]) -> None:
    for work, outcome in answers:
        _resolve(work.waiter, outcome)


def _resolve(waiter: Any, outcome: Outcome) -> None:
    if waiter.done():  # the one who waited has gone; the work is committed all the same
        return
    value, error = outcome
    if error is None:
        waiter.set_result(value)
    else:
        waiter.set_exception(error)


WorkQueue = queue.SimpleQueue[Work | None]
