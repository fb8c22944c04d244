"""A run begins: lock, throttle and record in one transaction, many signals to a commit.

1. All that came in meanwhile are looked up in one question, which locks nothing: most of them are refused by it.
2. Where a run may begin, the lock's row is taken, and judged again.
3. The run is on record in its lock before anybody is told; the work begins after the commit, whoever still waits for the answer.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from atalaia.core.settings import Settings
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.locks import Free, Held, Lock, Throttled, Verdict, judge
from atalaia.signals.queries import locks
from atalaia.signals.queries.locks import Found
from atalaia.signals.service.clocks import NowMs
from atalaia.signals.service.ending import LAPSED, Ends
from atalaia.signals.service.tasks import Started, Tasks
from atalaia.store.store import Store
from atalaia.store.work import Merged


class Wish(NamedTuple):
    """`run_id` is the run's, should it begin; `heeds_pause`: a person may run what is paused."""

    signal: str
    run_id: str
    source: str
    heeds_pause: bool = True


class Paused(NamedTuple):
    """Somebody has paused the signal."""


class Unknown(NamedTuple):
    """There is no such signal."""


Reply = Started | Held | Throttled | Paused | Unknown


class Starting:
    """`begin` is called on any thread, after the commit; `is_ours(run_id)`: this process runs it, and holds its lease."""

    def __init__(
        self,
        store: Store,
        tasks: Tasks,
        ends: Ends,
        *,
        now_ms: NowMs,
        settings: Settings,
        holder: str,
        begin: Callable[[Started], None],
        is_ours: Callable[[str], bool],
    ) -> None:
        self._store = store
        self._tasks = tasks
        self._ends = ends
        self._now_ms = now_ms
        self._settings = settings
        self._holder = holder
        self._begin = begin
        self._is_ours = is_ours
        self._merged: Merged[Wish, Reply] = Merged("signals.start", self.start_many)

    async def start(self, wish: Wish) -> Reply:
        """Answered after the commit. Raises as Store.merge."""
        return await self._store.merge(self._merged, wish)

    def start_many(self, tx: Tx, wishes: Sequence[Wish]) -> list[Reply]:
        found = locks.look(tx, sorted({wish.signal for wish in wishes}))
        batch = _Batch(tx, found, self._now_ms(tx))
        return [self._start(batch, wish) for wish in wishes]

    def _start(self, batch: "_Batch", wish: Wish) -> Reply:
        found = batch.found.get(wish.signal)
        if found is None:
            return Unknown()
        if found.is_paused and wish.heeds_pause:
            return Paused()
        verdict = self._judged(found, batch.now_ms)
        if isinstance(verdict, Free) and not batch.has_taken(wish.signal):
            lock = locks.take(batch.tx, wish.signal)
            if lock is None:
                return Held()
            found = batch.took(found._replace(lock=lock), self._now_ms(batch.tx))
            verdict = self._judged(found, batch.now_ms)
        if isinstance(verdict, Free):
            return self._begun(batch, found, wish, is_lost=verdict.is_lost)
        return verdict

    def _judged(self, found: Found, now_ms: int) -> Verdict:
        verdict = judge(found.lock, now_ms=now_ms, min_interval_ms=found.min_interval_ms)
        is_ours = isinstance(verdict, Free) and verdict.is_lost and self._is_ours(found.lock.run_id or "")
        return Held() if is_ours else verdict  # the wall clock was set forward under a run that goes on

    def _begun(self, batch: "_Batch", found: Found, wish: Wish, *, is_lost: bool) -> Started:
        tx, lock = batch.tx, found.lock
        failures = self._ends.put(tx, found.name, lock, LAPSED) if is_lost else lock.failures
        until_ms = batch.now_ms + round(self._settings.get("signals.lease_s") * 1000)
        held = Lock(lock.fence + 1, batch.now_ms, until_ms, failures, wish.run_id, wish.source)
        locks.start(tx, found.name, held, holder=self._holder)
        started = Started(
            found.name,
            wish.run_id,
            held.fence,
            wish.source,
            batch.now_ms,
            found.task,
            found.options,
            found.secret,
            found.min_interval_ms,
        )
        task = self._tasks.find(found.task)
        if task is None or task.at_once is None:
            tx.after_commit(lambda: self._begin(started))
        else:
            failures = self._ends.put(tx, found.name, held, task.at_once(tx, started))
            locks.end(tx, found.name, failures=failures)
            held = Lock(held.fence, held.started_ms, 0, failures)
        batch.found[found.name] = found._replace(lock=held)
        return started


class _Batch:
    """What one transaction knows, and which locks it has."""

    def __init__(self, tx: Tx, found: dict[str, Found], now_ms: int) -> None:
        self.tx = tx
        self.found = found
        self.now_ms = now_ms
        self._taken: set[str] = set()

    def has_taken(self, signal: str) -> bool:
        return self.tx.dialect == "sqlite" or signal in self._taken  # SQLite's writer has everything

    def took(self, found: Found, now_ms: int) -> Found:
        self._taken.add(found.name)
        self.found[found.name] = found
        self.now_ms = now_ms
        return found
