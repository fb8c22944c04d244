"""The worker: leases as much as it has room for, runs it, and ends in order.

1. Ask for leases by long poll while there is room; a lost answer is asked for again under its request id.
2. SIGTERM, or the hub's word `drain`: ask no more, hand back what may be on its way, let the rest finish for `drain_s`.
3. Then, or at a second SIGTERM, abort what still runs and hand its leases back.
4. The hub's word `stop` (this version is too old) or a refused key: the same, and an exit status of its own.
"""

import asyncio
import contextlib
import random
import signal
from collections.abc import Coroutine, Sequence
from enum import IntEnum
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
import structlog

from atalaia.core.errors import AtalaiaError, InvalidField, TargetRefused
from atalaia.core.ids import new_id
from atalaia.outbound.retry import full_jitter_s
from atalaia.runs.outcome import Ended
from atalaia.sdk.jobs import JobType
from atalaia.sdk.upstreams import UpstreamDeclaration
from atalaia.worker.attempts import Attempt, Tools
from atalaia.worker.contexts import Contexts
from atalaia.worker.held import End
from atalaia.worker.hub import HubApi, KeyRefused, Leases, Refused, WorkerWord
from atalaia.worker.keeper import Keeper
from atalaia.worker.options import WorkerOptions
from atalaia.worker.upstreams import WorkerUpstreams

LONGEST_PAUSE_S: Final = 15.0
HAND_BACK_WITHIN_S: Final = 5.0
# Of one question: payloads may have a megabyte each.
MOST_AT_ONCE: Final = 32
# No use in asking again: the key, the request, or the hub's address is wrong.
_HOPELESS: Final = (KeyRefused, Refused, InvalidField, TargetRefused)

T = TypeVar("T")
log = structlog.get_logger()


class Exit(IntEnum):
    """The process' exit status."""

    DRAINED = 0
    FAILED = 1
    STALE = 3
    KEY_REFUSED = 4


class Worker:
    """With `only` it runs that one job, if it is the one to get it, and ends."""

    def __init__(
        self,
        options: WorkerOptions,
        types: Sequence[JobType],
        *,
        upstreams: Sequence[UpstreamDeclaration] = (),
        only: str | None = None,
    ) -> None:
        self._options = options
        self._only = only
        self._types = {job_type.name: job_type for job_type in types}
        self._declarations = upstreams
        self._running: dict[str, tuple[Attempt, asyncio.Task[None]]] = {}
        self._exit = Exit.DRAINED
        self._draining: asyncio.Event
        self._signalled: asyncio.Event
        self._at_once: asyncio.Event
        self._room: asyncio.Event
        self._tools: Tools
        self.reason: str | None = None  # why it ended by itself, for people

    async def run(self) -> Exit:
        """Until it is told to end, by a signal or by the hub."""
        self._draining, self._signalled, self._at_once = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._room = asyncio.Event()
        options = self._options
        api = HubApi(options)
        keeper = Keeper(
            lambda: HubApi(options), on_end=self._end_one, on_word=self._take_word, on_refused=self._refused
        )
        self._tools = Tools(api, keeper, Contexts(api), WorkerUpstreams(api, self._declarations))
        keeper.start()
        self._listen_to_signals()
        log.info(
            "worker_started", worker=options.name, version=options.version, hub=options.hub, types=sorted(self._types)
        )
        try:
            await self._lease_until_told()
        except BaseException:
            self._at_once_now()
            raise
        finally:
            await self._drain()
            await keeper.stop()
            await self._tools.upstreams.aclose()
            await api.aclose()
        log.info("worker_ended", status=int(self._exit), reason=self.reason)
        return self._exit

    def drain(self) -> None:
        """Take nothing new, and end within `drain_s`; asked a second time: hand back what runs, at once."""
        if self._signalled.is_set():
            self._at_once.set()
        self._signalled.set()
        self._draining.set()

    # -- what the hub says

    def _end_one(self, job_id: str, end: End) -> None:
        found = self._running.get(job_id)
        if found is not None:
            found[0].end(end)

    def _take_word(self, word: WorkerWord) -> None:
        if word == "stop" and self._exit is Exit.DRAINED:
            self.reason = (
                f"The hub gives no work to version {self._options.version}: it is older than the hub's minimum. "
                "Update this worker."
            )
            log.error("worker_is_stale", version=self._options.version)
            self._exit = Exit.STALE
        if word != "run" and not self._draining.is_set():
            log.info("told_to_drain", word=word)
            self._draining.set()

    def _refused(self, error: KeyRefused) -> None:
        if self._exit is Exit.DRAINED:
            self.reason = f"{error} {error.hint}"
            log.error("key_refused", reason=str(error))
            self._exit = Exit.KEY_REFUSED
        self._at_once_now()  # nothing more can be told to the hub

    def _at_once_now(self) -> None:
        for each in (self._draining, self._signalled, self._at_once):
            each.set()

    # -- leasing

    async def _lease_until_told(self) -> None:
        """Each question can be ended by the order to drain; what it would have brought is handed back."""
        tries = 0
        request_id, count = new_id(), self._free()
        while not self._draining.is_set():
            if self._free() <= 0:
                await self._wait_for_room()
                request_id, count = new_id(), self._free()
                continue
            try:
                leases = await self._until_draining(self._ask(request_id, count, self._options.wait_s))
            except AtalaiaError as error:
                if isinstance(error, _HOPELESS):
                    self._give_up(error)
                    return
                tries += 1
                if tries == 1:
                    log.warning("hub_unavailable", reason=str(error))
                await self._until_draining(asyncio.sleep(_pause_s(tries, error)))
                continue
            if leases is None:
                await self._hand_back(request_id, count)
                return
            if self._only is not None and leases.jobs:
                leases = await self._just_one(leases, self._only)
            if tries:
                log.info("hub_back")
            tries = 0
            self._begin(leases)
            request_id, count = new_id(), self._free()

    async def _ask(self, request_id: str, count: int, wait_s: float) -> Leases:
        return await self._tools.api.lease(
            sorted(self._types),
            resolves=sorted(name for name, job_type in self._types.items() if job_type.resolve is not None),
            count=count,
            wait_s=wait_s,
            request_id=request_id,
        )

    async def _just_one(self, leases: Leases, wanted: str) -> Leases:
        """The wanted job, and no other: those go back, and nothing more is asked for."""
        self._draining.set()
        for leased in leases.jobs:
            if leased.id != wanted:
                await self._tools.api.complete(leased.id, leased.token, Ended("released"), steps=[])
        return msgspec.structs.replace(leases, jobs=[each for each in leases.jobs if each.id == wanted])

    def _begin(self, leases: Leases) -> None:
        if leases.worker != "run":
            self._take_word(leases.worker)
        for leased in leases.jobs:
            if leased.id in self._running:  # an answer that came twice
                continue
            attempt = Attempt(leased, self._types[leased.type], self._tools)
            task = asyncio.create_task(attempt.run(), name=f"attempt {leased.id}")
            self._running[leased.id] = attempt, task
            task.add_done_callback(partial(self._ended, leased.id))

    def _ended(self, job_id: str, task: "asyncio.Task[None]") -> None:
        self._running.pop(job_id, None)
        self._room.set()
        if not task.cancelled() and task.exception() is not None:
            log.error("attempt_failed", job=job_id, exc_info=task.exception())

    def _free(self) -> int:
        return min(MOST_AT_ONCE, self._options.concurrency - len(self._running))

    async def _wait_for_room(self) -> None:
        self._room.clear()
        if self._free() <= 0:
            await self._until_draining(self._room.wait())

    def _give_up(self, error: AtalaiaError) -> None:
        if isinstance(error, KeyRefused):
            self._refused(error)
            return
        log.error("request_refused", reason=str(error))
        self.reason, self._exit = str(error), Exit.FAILED
        self._draining.set()

    async def _until_draining(self, work: Coroutine[Any, Any, T]) -> T | None:
        """None when the order to drain came first; then the work is broken off."""
        task = asyncio.ensure_future(work)
        told = asyncio.ensure_future(self._draining.wait())
        try:
            await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        return None if task.cancelled() else task.result()

    async def _hand_back(self, request_id: str, count: int) -> None:
        """The question that was broken off may have been answered: ask for that answer, and give the leases back."""
        with contextlib.suppress(AtalaiaError, TimeoutError):
            async with asyncio.timeout(HAND_BACK_WITHIN_S):
                unseen = await self._ask(request_id, count, 0)
                for leased in unseen.jobs:
                    if leased.id not in self._running:
                        await self._tools.api.complete(leased.id, leased.token, Ended("released"), steps=[])

    # -- ending

    async def _drain(self) -> None:
        """Until all has ended by itself, or its time is over: then it is aborted and handed back."""
        attempts = list(self._running.values())
        if not attempts:
            return
        log.info("draining", running=len(attempts))
        rest = asyncio.gather(*(task for _, task in attempts), return_exceptions=True)
        limit = asyncio.create_task(self._limit())
        either: set[asyncio.Future[Any]] = {rest, limit}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        limit.cancel()
        for attempt, task in attempts:
            if not task.done():
                attempt.end("released")
        await rest

    async def _limit(self) -> None:
        """A worker that the hub drains has no haste; one that the machine stops has `drain_s`."""
        await self._signalled.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.drain_s):
                await self._at_once.wait()

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # not the main thread: tests
                loop.add_signal_handler(number, self.drain)


def _pause_s(tries: int, error: AtalaiaError) -> float:
    drawn_s = full_jitter_s(tries, base_s=0.2, cap_s=LONGEST_PAUSE_S, chance=random.random)
    asked_s: float = getattr(error, "retry_after_s", None) or 0.0
    return max(drawn_s, 0.05, min(asked_s, LONGEST_PAUSE_S))
