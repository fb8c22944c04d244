"""When agents were last heard of: in memory, and written down once per interval."""

from collections.abc import Mapping
from datetime import datetime

from atalaia.agents.queries import registry
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

AGENTS_TOPIC = "agents"


class LastSeen:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._at: dict[str, datetime] = {}
        self._unwritten: dict[str, datetime] = {}
        self._has_news = False

    @property
    def at(self) -> Mapping[str, datetime]:
        """The newest that this hub knows, by agent."""
        return self._at

    def note(self, agent_id: str, at: datetime) -> None:
        self._at[agent_id] = self._unwritten[agent_id] = at

    def note_written(self, agent_id: str, at: datetime) -> None:
        """It was written in the transaction that has just been committed. Called on the writer's thread."""
        self._at[agent_id] = at
        self._unwritten.pop(agent_id, None)
        self._has_news = True

    async def write_down(self) -> None:
        """A loop calls it; open pages are told no more often than that."""
        unwritten, self._unwritten = self._unwritten, {}
        if not unwritten and not self._has_news:
            return
        self._has_news = False

        def unit(tx: Tx) -> None:
            registry.touch(tx, unwritten)
            tx.publish(AGENTS_TOPIC)

        try:
            await self._store.write(unit)
        except BaseException:
            self._unwritten = unwritten | self._unwritten
            raise
