"""The end of a run, put on record: by the one that ran it, by the next to run, or by the leader when its lease has lapsed."""

from collections.abc import Callable

from atalaia.core.redaction import redact, scrub
from atalaia.core.settings import Settings
from atalaia.sdk.transaction import Tx
from atalaia.signals.events import SignalRunsFailing, SignalRunsWell
from atalaia.signals.model.locks import Lock, is_lapsed
from atalaia.signals.model.runs import FAILURES, Ending, Outcome, Run
from atalaia.signals.queries import locks, runs
from atalaia.signals.service.clocks import NowMs
from atalaia.signals.service.tasks import Started
from atalaia.store.store import Store

LAPSED = Ending(Outcome.LOST, error="its process went away, or was cut off from the store")
Counted = Callable[[str, Outcome, int], None]
"""(signal, outcome, ms)"""


class Ends:
    def __init__(self, store: Store, *, now_ms: NowMs, settings: Settings, counted: Counted) -> None:
        self._store = store
        self._now_ms = now_ms
        self._settings = settings
        self._counted = counted

    async def end(self, started: Started, ending: Ending) -> bool:
        """Whether the run was still the one that the lock names: another's end is not ours to tell."""
        return await self._store.write(lambda tx: self._end(tx, started, ending))

    def put(self, tx: Tx, signal: str, lock: Lock, ending: Ending) -> int:
        """Keep what came of the run that `lock` names, and tell it; how many failed in a row now."""
        ended_ms = max(lock.started_ms, self._now_ms(tx))
        if ending.outcome is Outcome.LOST and not ending.is_stop:
            ended_ms = max(lock.started_ms, min(ended_ms, lock.lease_until_ms))
        took_ms = ended_ms - lock.started_ms
        if ending.outcome is not Outcome.NOTHING:
            runs.keep(tx, _run(signal, lock, ending, ended_ms))
        runs.count(tx, signal, str(ending.outcome), ended_ms=ended_ms, took_ms=took_ms)
        tx.after_commit(lambda: self._counted(signal, ending.outcome, took_ms))
        return self._told(tx, signal, lock.failures, ending)

    async def reap(self) -> None:
        """Put on record what has lapsed; a loop of the leader. Nothing is written where nothing has."""
        if await self._store.read(lambda tx: locks.lapsed(tx, now_ms=self._now_ms(tx))):
            await self._store.write(self._reap)

    def _reap(self, tx: Tx) -> None:
        for name, _ in locks.lapsed(tx, now_ms=self._now_ms(tx)):
            lock = locks.take(tx, name)
            if lock is not None and is_lapsed(lock, now_ms=self._now_ms(tx)):
                locks.end(tx, name, failures=self.put(tx, name, lock, LAPSED))

    def _end(self, tx: Tx, started: Started, ending: Ending) -> bool:
        lock = locks.wait_for(tx, started.signal)
        if lock is None or (lock.fence, lock.run_id) != (started.fence, started.run_id):
            return False
        locks.end(tx, started.signal, failures=self.put(tx, started.signal, lock, ending))
        return True

    def _told(self, tx: Tx, signal: str, former: int, ending: Ending) -> int:
        if ending.outcome not in FAILURES:
            if former:
                tx.emit(SignalRunsWell(signal=signal))
            return 0
        if ending.is_stop:
            return former
        failures = former + 1
        if failures >= self._settings.get("signals.failures_to_incident"):
            tx.emit(SignalRunsFailing(signal=signal, failures=failures, reason=scrub(ending.error or "")))
        return failures


def _run(signal: str, lock: Lock, ending: Ending, ended_ms: int) -> Run:
    return Run(
        id=lock.run_id or "",
        signal=signal,
        fence=lock.fence,
        source=lock.source or "",
        started_at=locks.instant_of(lock.started_ms),
        ended_at=locks.instant_of(ended_ms),
        took_ms=ended_ms - lock.started_ms,
        outcome=str(ending.outcome),
        summary=ending.summary,
        params=redact(ending.params),
        error=scrub(ending.error) if ending.error else None,
        output=scrub(ending.output) if ending.output else None,
    )
