"""Once a second, and when a job's time comes: what has become due is made ready, and who waits for it is woken."""

import asyncio
from collections import Counter

from atalaia.core.clock import Clock, to_ms
from atalaia.jobs.queries import leasing as queries
from atalaia.jobs.service.bell import Bell, Wanted
from atalaia.jobs.service.effects import READY_TOPIC
from atalaia.jobs.service.lanes import TOPIC as LANES_TOPIC
from atalaia.jobs.service.lanes import Lanes
from atalaia.jobs.service.limits import TOPIC as LIMITS_TOPIC
from atalaia.jobs.service.limits import Limits
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

PERIOD_S = 1.0
MOST_AT_ONCE = 1_000
_FAR_MS = 2**62


class Pulse:
    """Where nobody waits for jobs and none has a time to come, a round asks nothing of the store."""

    def __init__(self, store: Store, bell: Bell, lanes: Lanes, limits: Limits, *, clock: Clock) -> None:
        self._store = store
        self._bell = bell
        self._lanes = lanes
        self._limits = limits
        self._clock = clock
        self._next_due_ms = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.wake = asyncio.Event()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._store.read(self._refresh)
        self._store.live.subscribe(self._on_live)

    def due_at(self, due_ms: int) -> None:
        """From any thread: something becomes due then."""
        if due_ms < self._next_due_ms:
            self._next_due_ms = due_ms
            if self._loop is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._set_timer)

    async def round(self) -> None:
        if self._bell.has_waiters or self._limits.has_any:
            await self._store.read(self._refresh)
        now_ms = to_ms(self._clock.now())
        if self._next_due_ms <= now_ms or self._store.dialect == "postgresql":
            await self._promote(now_ms)
        if self._bell.has_waiters:
            self._ring(await self._store.read(self._waited_for))

    async def _promote(self, now_ms: int) -> None:
        due_ms = await self._store.read(queries.next_due_ms)
        if due_ms is not None and due_ms <= now_ms:
            found = await self._store.write(lambda tx: self._promote_in(tx, now_ms))
            if sum(found.values()) >= MOST_AT_ONCE:
                self.wake.set()
            due_ms = await self._store.read(queries.next_due_ms)
        # A job made meanwhile may be due sooner; it has set the timer by itself, and is looked for again in a second.
        self._next_due_ms = _FAR_MS if due_ms is None else due_ms
        self._set_timer()

    def _promote_in(self, tx: Tx, now_ms: int) -> dict[int, int]:
        found = queries.promote(tx, now_ms=now_ms, limit=MOST_AT_ONCE)
        ready: Counter[Wanted] = Counter()
        for lane_id, count in found.items():
            lane = self._lanes.known(tx, lane_id)
            ready[Wanted(lane.type, lane.is_resolve)] += count
            if tx.dialect == "postgresql":
                tx.publish(READY_TOPIC, f"{int(lane.is_resolve)}{lane.type}")
        tx.after_commit(lambda: self._bell.ring_from_any_thread(ready))
        return found

    def _refresh(self, tx: Tx) -> None:
        self._lanes.refresh(tx)
        self._limits.refresh(tx)

    def _waited_for(self, tx: Tx) -> list[int]:
        return queries.lanes_ready(tx, self._lanes.of(self._bell.wanted()))

    def _ring(self, lanes: list[int]) -> None:
        for lane_id in lanes:
            lane = self._lanes.find(lane_id)
            self._bell.ring({Wanted(lane.type, lane.is_resolve): 1})

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        seconds = (self._next_due_ms - to_ms(self._clock.now())) / 1000
        if self._loop is not None and seconds < PERIOD_S:
            self._timer = self._loop.call_later(max(0.0, seconds), self.wake.set)

    def _on_live(self, topic: str, id: str) -> None:
        """From any thread, also what this hub told itself."""
        if topic == READY_TOPIC and id and self._store.dialect == "postgresql":
            self._bell.ring_from_any_thread({Wanted(id[1:], id[0] == "1"): 1})
        elif (
            topic in {LANES_TOPIC, LIMITS_TOPIC, READY_TOPIC} and self._loop is not None and not self._loop.is_closed()
        ):
            self._loop.call_soon_threadsafe(self.wake.set)
