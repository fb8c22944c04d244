"""A request for leases: what there is at once, else a wait for it, without asking the store meanwhile."""

import asyncio
import time
from collections.abc import Callable
from functools import lru_cache
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
        if word == RUN:
            wanted = _wanted(tuple(request.types), tuple(request.resolves))
        elif is_repeat:
            wanted = frozenset()  # what it has got already it gets again; nothing new
        else:
            return Leased([], word)
        want = LeaseWant(wanted, request.worker_id, request.max, round(request.ttl_s * 1000), number, is_repeat)
        began = time.perf_counter()
        grants = await self._store.merge(self._merged, want)
        if grants and wanted:
            self._took(number, grants, want, time.perf_counter() - began)
        if grants or not wanted:
            return Leased(grants, word)
        if request.wait_s > 0:
            grants = await self._wait(want._replace(is_repeat=False), began + request.wait_s, gone)
        return Leased(grants, word if grants else self._workers.hear_again(request.worker_id, request.incarnation))

    async def _wait(self, want: LeaseWant, until: float, gone: Gone) -> list[Grant]:
        """There was nothing: look again whenever there may be something. `until`: on the performance counter."""
        waiter = self._bell.register(want.wanted)
        leaving = None if gone is None else gone()
        try:
            while True:
                waiter.event.clear()
                began = time.perf_counter()
                grants = await self._store.merge(self._merged, want)
                if grants:
                    self._took(want.request, grants, want, time.perf_counter() - began)
                    return grants
                left_s = until - time.perf_counter()
                if left_s <= 0 or self._bell.is_released or not await _rung(waiter.event, left_s, leaving):
                    return []
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


@lru_cache(maxsize=64)
def _wanted(types: tuple[str, ...], resolves: tuple[str, ...]) -> frozenset[Wanted]:
    return frozenset([*(Wanted(name, False) for name in types), *(Wanted(name, True) for name in resolves)])


def _number(request: LeaseIn) -> int | None:
    if not request.request_id:
        return None
    parts = (request.worker_id, request.incarnation, request.request_id)
    return fingerprint(*(part.encode() for part in parts))
