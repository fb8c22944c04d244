"""Probes that are run once and at once on a real agent: "try it now"."""

import asyncio
from datetime import timedelta

import msgspec

from atalaia.agents.model.wire import Probe, Result
from atalaia.agents.queries import registry
from atalaia.agents.queries import work as queries
from atalaia.agents.service.work import changed
from atalaia.core.clock import Clock
from atalaia.core.errors import Conflict, NotFound
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store

TRY_TOPIC = "try"
_KEPT_S = 300.0


class Tries:
    def __init__(self, store: Store, *, sealer: Sealer, clock: Clock) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        store.live.subscribe(self._on_live)

    async def run(self, agent_id: str, probe: Probe, *, timeout_s: float) -> Result:
        """What the probe came to on that agent, within `timeout_s`.

        Raises:
            NotFound: there is no such agent.
            Conflict: the agent did not answer in time (code `agent_unanswered`).
        """
        self._loop = loop = asyncio.get_running_loop()
        try_id = new_id()
        waiter = self._waiting[try_id] = loop.create_future()
        try:
            await self._store.write(lambda tx: self._add(tx, agent_id, msgspec.structs.replace(probe, try_id=try_id)))
            await asyncio.wait([waiter], timeout=timeout_s)
            found = await self._store.read(lambda tx: queries.try_result(tx, try_id))
        finally:
            del self._waiting[try_id]
        if found is None:
            raise Conflict(
                N_("the agent did not answer in time"), code="agent_unanswered", hint=N_("Is it running and online?")
            )
        return msgspec.convert(found, Result)

    def _add(self, tx: Tx, agent_id: str, probe: Probe) -> None:
        agent = registry.find(tx, agent_id)
        if agent is None or agent.retired_at is not None:
            raise NotFound(N_("there is no such agent"))
        expires_at = self._clock.now() + timedelta(seconds=_KEPT_S)
        queries.add_try(tx, agent_id=agent_id, probe=probe, expires_at=expires_at, sealer=self._sealer)
        changed(tx, agent_id)

    def _on_live(self, topic: str, id: str) -> None:
        loop = self._loop
        if topic == TRY_TOPIC and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake, id)

    def _wake(self, try_id: str) -> None:
        waiter = self._waiting.get(try_id)
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
