"""Once a second, and when a job's time comes: what has become due is made ready, and who waits for it is woken."""

from atalaia.core.clock import Clock, to_ms
from atalaia.jobs.queries import leasing as queries
from atalaia.jobs.service.alarm import FAR_MS, Alarm
from atalaia.jobs.service.bell import Wanted
from atalaia.jobs.service.effects import READY_TOPIC, Effects, Listeners
from atalaia.jobs.service.lanes import TOPIC as LANES_TOPIC
from atalaia.jobs.service.limits import TOPIC as LIMITS_TOPIC
from atalaia.jobs.service.limits import Limits
from atalaia.jobs.service.starts import Place
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

PERIOD_S = 1.0
MOST_AT_ONCE = 1_000


class Pulse:
    """On SQLite, where nobody waits for jobs and none has a time to come, a round asks nothing of the store."""

    def __init__(self, store: Store, alarm: Alarm, limits: Limits, listeners: Listeners, *, clock: Clock) -> None:
        self._store = store
        self._alarm = alarm
        self._limits = limits
        self._to = listeners
        self._clock = clock
        self.wake = alarm.wake

    async def start(self) -> None:
        await self._alarm.start()
        await self._store.read(self._refresh)
        self._store.live.subscribe(self._on_live)

    async def round(self) -> None:
        bell = self._to.bell
        if bell.has_waiters or self._limits.has_any:
            await self._store.read(self._refresh)
        now_ms = to_ms(self._clock.now())
        if self._alarm.next_due_ms <= now_ms or self._store.dialect == "postgresql":
            await self._promote(now_ms)
        bell.ring(dict.fromkeys(bell.wanted(), 1))

    async def _promote(self, now_ms: int) -> None:
        due_ms = await self._store.read(queries.next_due_ms)
        if due_ms is not None and due_ms <= now_ms:
            if await self._store.write(lambda tx: self._promote_in(tx, now_ms)) >= MOST_AT_ONCE:
                self.wake.set()
            due_ms = await self._store.read(queries.next_due_ms)
        # A job made meanwhile may be due sooner; it has set the timer by itself, and is looked for again in a second.
        self._alarm.next_due_ms = FAR_MS if due_ms is None else due_ms
        self._alarm.set_timer()

    def _promote_in(self, tx: Tx, now_ms: int) -> int:
        effects = Effects(tx, self._to, now_ms=now_ms)
        found = queries.promote(tx, now_ms=now_ms, limit=MOST_AT_ONCE)
        for row in found:
            effects.waits(row.lane, Place(row.rank, row.due_at, row.seq))
        effects.settle()
        return len(found)

    def _refresh(self, tx: Tx) -> None:
        self._to.lanes.refresh(tx)
        self._limits.refresh(tx)

    def _on_live(self, topic: str, id: str) -> None:
        """From any thread, also what this hub told itself."""
        if topic == READY_TOPIC:
            self._on_ready(id)
        elif topic in {LANES_TOPIC, LIMITS_TOPIC}:
            self._alarm.ring()

    def _on_ready(self, said: str) -> None:
        """`<hub> new 0 <type>` or `<hub> older 1 <type>`; empty where there was too much to say."""
        hub, _, rest = said.partition(" ")
        if hub == self._to.starts.hub:
            return
        how, _, rest = rest.partition(" ")
        is_resolve, _, type_ = rest.partition(" ")
        wanted = [Wanted(type_, is_resolve == "1")] if said else self._to.bell.wanted()
        now_ms = to_ms(self._clock.now())
        for lane in self._to.lanes.of(wanted):
            if how == "new":
                self._to.starts.heard(lane, now_ms=now_ms)
            else:
                self._to.starts.forget(lane)
        self._to.bell.ring_from_any_thread(dict.fromkeys(wanted, 1))
