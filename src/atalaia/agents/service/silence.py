"""The leader's look-out for agents that fell silent, and for those that are back."""

from datetime import datetime

from atalaia.agents.events import AgentBack, AgentSilent
from atalaia.agents.model.silence import Change, changes
from atalaia.agents.queries import registry
from atalaia.agents.service.seen import AGENTS_TOPIC, LastSeen
from atalaia.core.clock import Clock
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

PERIOD_S = 2.0
# Longer between two looks than this: the hub slept, or another one led.
_AWAY_S = 15.0
_JUMP_S = 5.0


class LookOut:
    def __init__(self, store: Store, *, seen: LastSeen, clock: Clock) -> None:
        self._store = store
        self._seen = seen
        self._clock = clock
        self._listening_since: datetime | None = None
        self._looked_at = (0.0, 0.0)  # monotonic, wall

    async def look(self) -> None:
        now = self._clock.now()
        since = self._since(now)
        heard = await self._store.read(registry.heard)
        found = changes(heard, fresher=self._seen.at, listening_since=since, now=now)
        for change in found:
            await self._store.write(lambda tx, change=change: _apply(tx, change, now=now))  # type: ignore[misc]

    def _since(self, now: datetime) -> datetime:
        monotonic, wall = self._clock.monotonic(), now.timestamp()
        was_monotonic, was_wall = self._looked_at
        self._looked_at = (monotonic, wall)
        passed_s = monotonic - was_monotonic
        has_jumped = abs((wall - was_wall) - passed_s) > _JUMP_S
        if self._listening_since is None or passed_s > _AWAY_S or has_jumped:
            self._listening_since = now
        return self._listening_since


def _apply(tx: Tx, change: Change, *, now: datetime) -> None:
    if not registry.set_silent(tx, change.agent_id, since=now if change.is_silent else None):
        return
    if change.is_silent:
        tx.emit(AgentSilent(agent_id=change.agent_id, agent_name=change.name, last_seen_at=change.last_seen_at, at=now))
    else:
        tx.emit(AgentBack(agent_id=change.agent_id, agent_name=change.name, at=now))
    tx.publish(AGENTS_TOPIC, change.agent_id)
