"""Pings in: many share one statement and one commit; the same id counts once."""

from collections import Counter
from collections.abc import Awaitable, Collection, Sequence
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
        new = self._keep_new(tx, {ping.ping_id for ping in pings})
        is_new = [True] * len(pings) if len(new) == len(pings) else _first_of_each(pings, new)
        fresh = [
            (ping.source, ping.received_ms // MINUTE_MS) for ping, is_one in zip(pings, is_new, strict=True) if is_one
        ]
        counts = Counter(fresh)
        queries.count(
            tx, [(self._sources.id_of(tx, source), minute, count) for (source, minute), count in counts.items()]
        )
        return is_new

    def _keep_new(self, tx: Tx, ids: set[bytes]) -> Collection[bytes]:
        received_ms = to_ms(self._clock.now())
        if tx.dialect == "postgresql":
            return queries.insert(tx, ids, received_ms=received_ms)
        memory = self._memory(tx)
        by_hash = {hash(ping_id): ping_id for ping_id in ids}
        for known in memory.known(by_hash):
            del by_hash[known]
        if by_hash:
            queries.append(tx, by_hash.values(), received_ms=received_ms)
            tx.after_commit(lambda: memory.add(by_hash))
        return set(by_hash.values()) if len(by_hash) < len(ids) else ids

    def _memory(self, tx: Tx) -> Remembered:
        if self._remembered is None:
            memory = Remembered()
            hashes = [hash(ping_id) for ping_id in islice(queries.newest(tx), memory.limit)]
            for start in range(len(hashes), 0, -_LOAD_STEP):  # the oldest first
                memory.add(hashes[max(0, start - _LOAD_STEP) : start])
            self._remembered = memory
        return self._remembered


def _first_of_each(pings: Sequence[Received], new: Collection[bytes]) -> list[bool]:
    """Which of them are the first with an id that is new: the same one may be in a group twice."""
    left = set(new)
    is_new = []
    for ping in pings:
        is_new.append(ping.ping_id in left)
        left.discard(ping.ping_id)
    return is_new
