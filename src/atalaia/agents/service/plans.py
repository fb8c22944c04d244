"""Plans by long poll: an agent that has the present one waits here until it changes."""

import asyncio

from atalaia.agents.model.agents import Known
from atalaia.agents.model.wire import MAX_PLAN_WAIT_S, Plan, PlanSettings
from atalaia.agents.queries import registry
from atalaia.agents.queries import work as queries
from atalaia.agents.service.work import PLAN_TOPIC
from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import Overloaded
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store

MAX_WAITING = 20_000
# Between hubs news may be lost with a connection; what is remembered there is asked for again after so long.
_GOOD_FOR_S = 20.0


class PlanBoard:
    """Those who wait cost a future and a timer each; nothing is asked of the store while nothing changes."""

    def __init__(self, store: Store, *, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}
        self._count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_stopping = False
        # The present etags, as far as they are known: (etag, until when by the loop's clock).
        self._etags: dict[str, tuple[str, float]] = {}
        self._changes = 0
        self._good_for_s = float("inf") if store.dialect == "sqlite" else _GOOD_FOR_S
        store.live.subscribe(self._on_live)

    @property
    def waiting(self) -> int:
        return self._count

    async def ask(self, known: Known, *, etag: str | None, wait_s: float) -> Plan | None:
        """The plan, as soon as it is another than `etag`; None when it is still the same after `wait_s`."""
        self._loop = loop = asyncio.get_running_loop()
        until = loop.time() + min(wait_s, MAX_PLAN_WAIT_S)
        while True:
            waiter = self._enter(known.id)  # before the look, so that a change right after it is not missed
            try:
                plan = await self._look(known, etag, loop.time())
                left_s = until - loop.time()
                if plan is not None or left_s <= 0 or self._is_stopping:
                    return plan
                await asyncio.wait([waiter], timeout=left_s)
            finally:
                self._leave(known.id, waiter)

    def release(self) -> None:
        """Answer all who wait: the hub stops."""
        self._is_stopping = True
        for agent_id in list(self._waiting):
            self._wake(agent_id)

    async def _look(self, known: Known, etag: str | None, now_s: float) -> Plan | None:
        remembered = self._etags.get(known.id)
        if etag is not None and remembered is not None and remembered[0] == etag and now_s < remembered[1]:
            return None
        changes = self._changes
        plan = await self._store.read(lambda tx: self._changed_plan(tx, known, etag))
        present = etag if plan is None else plan.etag
        if present is not None and changes == self._changes:
            self._etags[known.id] = (present, now_s + self._good_for_s)
        return plan

    def _changed_plan(self, tx: Tx, known: Known, etag: str | None) -> Plan | None:
        present = queries.etag(tx, known.id)
        if present == etag:
            return None
        now = self._clock.now()
        return Plan(
            etag=present,
            agent_id=known.id,
            name=registry.name_of(tx, known.id),
            server_time=to_ms(now),
            settings=PlanSettings(),
            probes=queries.probes_of_agent(tx, known.id, sealer=self._sealer),
            tries=queries.tries_of_agent(tx, known.id, now=now, sealer=self._sealer),
        )

    def _enter(self, agent_id: str) -> asyncio.Future[None]:
        if self._count >= MAX_WAITING:
            raise Overloaded(N_("too many agents wait here"), retry_after_s=30)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(agent_id, set()).add(waiter)
        self._count += 1
        return waiter

    def _leave(self, agent_id: str, waiter: asyncio.Future[None]) -> None:
        waiters = self._waiting[agent_id]
        waiters.discard(waiter)
        self._count -= 1
        if not waiters:
            del self._waiting[agent_id]

    def _on_live(self, topic: str, id: str) -> None:
        if topic != PLAN_TOPIC:
            return
        self._forget(id)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake, id)

    def _forget(self, agent_id: str) -> None:
        self._changes += 1
        if agent_id:
            self._etags.pop(agent_id, None)
        else:
            self._etags = {}

    def _wake(self, agent_id: str) -> None:
        # Once more, now on the loop: what was looked up while the news came on another thread may just have been kept.
        self._forget(agent_id)
        if not agent_id:  # which ones was lost on the way between hubs
            for id_ in list(self._waiting):
                self._wake(id_)
            return
        for waiter in self._waiting.get(agent_id, ()):
            if not waiter.done():
                waiter.set_result(None)
