"""Pings in: many share one statement and one commit; the same id counts once."""

from collections.abc import Awaitable, Sequence
from itertools import islice

from atalaia.core.clock import Clock, to_ms
from atalaia.pings.model import Received
from atalaia.pings.queries import receiving as queries
from atalaia.pings.queries.reports import MINUTE_MS
from atalaia.pings.service.remembered import Remembered
from atalaia.pings.service.sources import Sources
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.store.work import Merged

_LOAD_STEP = 50_000


class Receiving:
    """On SQLite there is one writer, so that its memory decides what is new; see queries.receiving."""

    def __init__(self, store: Store, sources: Sources, *, clock: Clock) -> None:
        self._store = store
        self._sources = sources
        self._clock = clock
        self._merged = Merged("pings", self._take)
        self._remembered: Remembered | None = None

    def receive(self, ping: Received) -> Awaitable[bool]:
        """Keep it; whether it is new. Comes back after the commit. Raises as Store.merge, and InvalidField."""
        return self._store.merge(self._merged, ping)

    async def start(self) -> None:
        """Read what is to be remembered before the first ping has to wait for it."""
        if self._store.dialect == "sqlite":
            await self._store.write(self._memory)

    def _take(self, tx: Tx, pings: Sequence[Received]) -> list[bool]:
        new = self._keep_new(tx, {ping_id for ping_id, _, _ in pings})
        counts: dict[tuple[int, int], int] = {}
        is_new = []
        for ping_id, source, received_ms in pings:
            fresh = ping_id in new
            is_new.append(fresh)
            if fresh:
                new.discard(ping_id)  # the same one twice in a group
                key = (self._sources.id_of(tx, source), received_ms // MINUTE_MS)
                counts[key] = counts.get(key, 0) + 1
        queries.count(tx, [(*key, count) for key, count in counts.items()])
        return is_new

    def _keep_new(self, tx: Tx, ids: set[bytes]) -> set[bytes]:
        received_ms = to_ms(self._clock.now())
        if tx.dialect == "postgresql":
            return queries.insert(tx, ids, received_ms=received_ms)
        memory = self._memory(tx)
        by_hash = {hash(ping_id): ping_id for ping_id in ids}
        for known in memory.known(list(by_hash)):
            del by_hash[known]
        if by_hash:
            queries.append(tx, by_hash.values(), received_ms=received_ms)
            hashes = list(by_hash)
            tx.after_commit(lambda: memory.add(hashes))
        return set(by_hash.values())

    def _memory(self, tx: Tx) -> Remembered:
        if self._remembered is None:
            memory = Remembered()
            hashes = [hash(ping_id) for ping_id in islice(queries.newest(tx), memory.limit)]
            for start in range(len(hashes), 0, -_LOAD_STEP):  # the oldest first
                memory.add(hashes[max(0, start - _LOAD_STEP) : start])
            self._remembered = memory
        return self._remembered
