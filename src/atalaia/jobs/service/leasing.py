"""A request for leases: what there is at once, else a wait for it, without asking the store meanwhile."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from atalaia.jobs.model.tokens import fingerprint
from atalaia.jobs.model.wire import LeaseIn
from atalaia.jobs.service.bell import Bell, Wanted
from atalaia.jobs.service.granting import Grant, Granting, LeaseWant
from atalaia.jobs.service.workers import RUN, Hello, Workers
from atalaia.store.store import Store
from atalaia.store.work import Merged

MAX_REMEMBERED = 20_000
Gone = Callable[[], asyncio.Future[None]] | None


class Leased(NamedTuple):
    """`word` is what the worker is to do: run, drain or stop."""

    grants: list[Grant]
    word: str


class Leasing:
    def __init__(
        self, store: Store, granting: Granting, bell: Bell, workers: Workers, *, timed: Callable[[float], None]
    ) -> None:
        self._store = store
        self._merged: Merged[LeaseWant, list[Grant]] = Merged("jobs.lease", granting.grant)
        self._bell = bell
        self._workers = workers
        self._timed = timed
        # Requests that got something, or may still: a repeat of one looks at what is held.
        self._served: dict[int, None] = {}
        self._under_way: dict[int, asyncio.Future[None]] = {}

    async def lease(self, request: LeaseIn, *, address: str, gone: Gone = None) -> Leased:
        """`gone()` is called once it has to wait; its future is done when the one who asks has left: nothing is leased for him."""
        is_new = self._workers.is_new(request.worker_id, request.incarnation)
        hello = Hello(request.worker_id, request.incarnation, request.version, request.commit, request.types, address)
        word = self._workers.hear(hello)
        number = _number(request)
        if number is None:
            return await self._wait_and_take(request, None, is_repeat=False, gone=gone, word=word)
        while number in self._under_way:  # the same request, sent again while the first is answered
            await asyncio.shield(self._under_way[number])
        is_repeat = is_new or number in self._served or self._store.dialect == "postgresql"
        done = self._under_way[number] = asyncio.get_running_loop().create_future()
        try:
            leased = await self._wait_and_take(request, number, is_repeat=is_repeat, gone=gone, word=word)
        finally:
            del self._under_way[number]
            done.set_result(None)
        return leased

    async def _wait_and_take(
        self, request: LeaseIn, number: int | None, *, is_repeat: bool, gone: Gone, word: str
    ) -> Leased:
        runs = [Wanted(name, False) for name in request.types] if word == RUN else []
        wanted = frozenset([*runs, *(Wanted(name, True) for name in request.resolves if word == RUN)])
        ttl_ms = round(request.ttl_s * 1000)
        want = LeaseWant(wanted, request.worker_id, request.max, ttl_ms, number, is_repeat)
        if word != RUN:
            # What it has got already it gets again; nothing new.
            return Leased(await self._store.merge(self._merged, want) if is_repeat else [], word)
        until = time.monotonic() + request.wait_s
        waiter = self._bell.register(wanted)
        leaving: asyncio.Future[None] | None = None
        try:
            while True:
                waiter.event.clear()
                began = time.perf_counter()
                grants = await self._store.merge(self._merged, want)
                if grants:
                    self._took(number, grants, want, time.perf_counter() - began)
                    return Leased(grants, word)
                left_s = until - time.monotonic()
                if leaving is None and gone is not None and left_s > 0:
                    leaving = gone()
                if left_s <= 0 or self._bell.is_released or not await _rung(waiter.event, left_s, leaving):
                    return Leased([], self._workers.hear_again(request.worker_id))
                want = want._replace(is_repeat=False)
        finally:
            self._bell.unregister(waiter)
            if leaving is not None:
                leaving.cancel()

    def _took(self, number: int | None, grants: list[Grant], want: LeaseWant, took_s: float) -> None:
        self._timed(took_s)
        if number is not None:
            self._served[number] = None
            if len(self._served) > MAX_REMEMBERED:
                del self._served[next(iter(self._served))]
        if len(grants) == want.limit:  # there may be more
            last = grants[-1]
            self._bell.ring({Wanted(last.type, last.is_resolve): 1})


async def _rung(event: asyncio.Event, seconds: float, gone: asyncio.Future[None] | None) -> bool:
    """Whether there is a reason to look again."""
    if gone is None:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True
    ringing: asyncio.Future[bool] = asyncio.ensure_future(event.wait())
    both: tuple[asyncio.Future[Any], ...] = (ringing, gone)
    try:
        await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return ringing.done() and not gone.done()
    finally:
        ringing.cancel()


def _number(request: LeaseIn) -> int | None:
    if not request.request_id:
        return None
    parts = (request.worker_id, request.incarnation, request.request_id)
    return fingerprint(*(part.encode() for part in parts))
