"""Pings in: many share one statement and one commit; the same id counts once."""

from collections.abc import Sequence

from atalaia.pings.model import Received
from atalaia.pings.queries import receiving as queries
from atalaia.pings.queries.reports import MINUTE_MS
from atalaia.pings.service.sources import Sources
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.store.work import Merged


class _SomeKnownError(Exception):
    """Among many there was one that had come before: each is then taken alone, which says which."""


class Receiving:
    def __init__(self, store: Store, sources: Sources) -> None:
        self._store = store
        self._sources = sources
        self._merged = Merged("pings", self._take)

    async def receive(self, ping: Received) -> bool:
        """Keep it; whether it is new. Comes back after the commit. Raises as Store.merge, and InvalidField."""
        return await self._store.merge(self._merged, ping)

    def _take(self, tx: Tx, pings: Sequence[Received]) -> list[bool]:
        rows: dict[bytes, queries.Row] = {}
        counts: dict[tuple[int, int], int] = {}
        is_new = []
        for ping_id, source, received_ms in pings:
            fresh = ping_id not in rows
            is_new.append(fresh)
            if fresh:
                source_id = self._sources.id_of(tx, source)
                rows[ping_id] = (ping_id, source_id, received_ms)
                key = (source_id, received_ms // MINUTE_MS)
                counts[key] = counts.get(key, 0) + 1
        added = queries.add(tx, list(rows.values()))
        if added != len(rows):
            if len(pings) > 1:
                raise _SomeKnownError
            return [False]
        queries.count(tx, [(*key, count) for key, count in counts.items()])
        return is_new
