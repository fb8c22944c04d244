"""Runs of this hub under way: the work, and the lease that is renewed beside it.

A run is broken off when its lease is lost: another hub has it, its signal was dropped, or the store could not be reached
for as long as the lease lasts. What it wrote until then stands; what it would write later is refused by its number.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.sdk.signals import RunLost
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.runs import Ending, Outcome
from atalaia.signals.queries import locks
from atalaia.signals.service.clocks import NowMs
from atalaia.signals.service.ending import LAPSED, Ends
from atalaia.signals.service.tasks import Started, Tasks
from atalaia.store.store import Store

RENEWALS = 3  # in each lease
PAUSE_S = 0.5
UNWIND_S = 7.0
_TRIES = 20
_STOPPED = Ending(Outcome.LOST, error="the hub was stopped", is_stop=True)

T = TypeVar("T")
log = structlog.get_logger()


class ActiveRun:
    """See sdk.signals.SignalRun."""

    def __init__(self, started: Started, store: Store, *, now_ms: NowMs, lease_s: float) -> None:
        self.started = started
        self.lease_s = lease_s
        self._store = store
        self._now_ms = now_ms

    @property
    def id(self) -> str:
        return self.started.run_id

    @property
    def signal(self) -> str:
        return self.started.signal

    @property
    def fence(self) -> int:
        return self.started.fence

    @property
    def source(self) -> str:
        return self.started.source

    async def write(self, unit: Callable[[Tx], T]) -> T:
        return await self._store.write(lambda tx: self._fenced(tx, unit))

    async def renew(self) -> bool:
        """Whether the lease is still this run's."""
        return await self._store.write(self._renew)

    def _fenced(self, tx: Tx, unit: Callable[[Tx], T]) -> T:
        locks.cut_short_when_stopped(tx, within_ms=round(self.lease_s * 1000))
        lock = locks.wait_for(tx, self.signal)
        is_ours = lock is not None and (lock.fence, lock.run_id) == (self.fence, self.id)
        if lock is None or not is_ours or lock.lease_until_ms <= self._now_ms(tx):
            raise RunLost(N_("this run is not in force any more"))
        return unit(tx)

    def _renew(self, tx: Tx) -> bool:
        locks.cut_short_when_stopped(tx, within_ms=round(self.lease_s * 1000))
        until_ms = self._now_ms(tx) + round(self.lease_s * 1000)
        return locks.renew(tx, self.signal, fence=self.fence, run_id=self.id, until_ms=until_ms)


class _Live:
    def __init__(self, signal: str, until: float) -> None:
        self.signal = signal
        self.until = until  # monotonic: the lease is surely in force until then
        self.task: asyncio.Task[None] | None = None
        self.work: asyncio.Task[Ending] | None = None
        self.is_stopped = False
        self.is_ending = False  # its end is on the way to the record, or there already


class Running:
    def __init__(
        self, store: Store, tasks: Tasks, ends: Ends, *, now_ms: NowMs, settings: Settings, clock: Clock
    ) -> None:
        self._store = store
        self._tasks = tasks
        self._ends = ends
        self._now_ms = now_ms
        self._settings = settings
        self._clock = clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._live: dict[str, _Live] = {}  # by run
        self.is_closing = False

    def open(self) -> None:
        """Runs live in the loop of the caller."""
        self._loop = asyncio.get_running_loop()

    def begin(self, started: Started) -> None:
        """From any thread, after the commit."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._begin, started)

    def is_ours(self, run_id: str) -> bool:
        live = self._live.get(run_id)
        return live is not None and self._clock.monotonic() < live.until

    def is_running(self, signal: str) -> bool:
        """Whether a run of the signal is under way here, beyond doubt."""
        now = self._clock.monotonic()
        return any(live.signal == signal and now < live.until and not live.is_ending for live in self._live.values())

    def is_ending(self, signal: str) -> bool:
        """Whether a run of the signal ends here just now: what is on record of it only the store knows."""
        return any(live.signal == signal and live.is_ending for live in self._live.values())

    def release(self) -> None:
        """Break off what runs, while what it works with is still open, and begin nothing more."""
        self.is_closing = True
        for live in self._live.values():
            if live.work is not None and not live.is_stopped:
                live.work.cancel()
            live.is_stopped = True

    async def stop(self) -> None:
        """Until what was broken off is on record, and its locks are free."""
        self.release()
        tasks = [live.task for live in self._live.values() if live.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=UNWIND_S)
            if late:
                log.error("signal_runs_do_not_stop", signals=sorted(live.signal for live in self._live.values()))

    def _begin(self, started: Started) -> None:
        lease_s = float(self._settings.get("signals.lease_s"))
        live = _Live(started.signal, self._clock.monotonic() + lease_s)
        live.is_stopped = self.is_closing
        self._live[started.run_id] = live
        run = ActiveRun(started, self._store, now_ms=self._now_ms, lease_s=lease_s)
        live.task = asyncio.create_task(self._run(run, live), name=f"signal {started.signal}")

    async def _run(self, run: ActiveRun, live: _Live) -> None:
        try:
            ending = _STOPPED if live.is_stopped else await self._worked(run, live)
            live.is_ending = True
            await self._tell(run.started, ending)
        finally:
            del self._live[run.id]

    async def _worked(self, run: ActiveRun, live: _Live) -> Ending:
        work = live.work = asyncio.create_task(self._perform(run))
        keeping = asyncio.create_task(self._keep(run, live, work))
        try:
            await asyncio.wait({work})
        finally:
            keeping.cancel()
        if work.cancelled():
            return _STOPPED if live.is_stopped else LAPSED
        return work.result()

    async def _perform(self, run: ActiveRun) -> Ending:
        task = self._tasks.find(run.started.task)
        if task is None or task.run is None:
            return Ending(Outcome.FAILED, error=f"there is no task {run.started.task}")
        try:
            return await task.run(run)
        except RunLost:
            return LAPSED
        except AtalaiaError as error:
            log.warning("signal_run_failed", signal=run.signal, run=run.id, code=error.code, reason=str(error))
            return Ending(Outcome.FAILED, error=f"{error.code}: {error}")
        except Exception as error:
            log.exception("signal_run_failed", signal=run.signal, run=run.id)
            return Ending(Outcome.FAILED, error=f"internal_error: {type(error).__name__}")

    async def _keep(self, run: ActiveRun, live: _Live, work: "asyncio.Task[Ending]") -> None:
        pause_s = run.lease_s / RENEWALS
        while True:
            await asyncio.sleep(pause_s)
            asked = self._clock.monotonic()
            try:
                async with asyncio.timeout(max(PAUSE_S, live.until - asked)):
                    is_ours = await run.renew()
            except Exception as error:  # noqa: BLE001 - the boundary of the loop: a run must not go on without its lease
                log.warning("signal_lease_not_renewed", signal=run.signal, run=run.id, reason=type(error).__name__)
                is_ours, pause_s = self._clock.monotonic() < live.until, PAUSE_S
            else:
                live.until, pause_s = asked + run.lease_s, run.lease_s / RENEWALS
            if not is_ours:
                live.until = float("-inf")
                log.warning("signal_run_lost", signal=run.signal, run=run.id)
                work.cancel()
                return

    async def _tell(self, started: Started, ending: Ending) -> None:
        """Until the store takes it; the lease's end frees the lock where it never does."""
        for _ in range(_TRIES):
            try:
                await self._ends.end(started, ending)
            except Exception as error:  # noqa: BLE001 - as above: a lock that is not freed stays until its lease ends
                log.warning(
                    "signal_end_not_kept", signal=started.signal, run=started.run_id, reason=type(error).__name__
                )
                await asyncio.sleep(PAUSE_S)
            else:
                return
