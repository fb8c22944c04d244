"""What changed, told to pages: gathered, and told a few times a second at most; streams of one job are told at once."""

import asyncio
import threading
from collections.abc import Sequence

from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

TOPIC = "jobs"
PERIOD_S = 0.25
MAX_EACH = 20


class News:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.wake: asyncio.Event = asyncio.Event()

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()

    def changed(self, ids: Sequence[str]) -> None:
        """From any thread."""
        with self._lock:
            was_quiet = not self._changed
            if len(self._changed) <= MAX_EACH:  # beyond that it is one piece of news for all
                self._changed.update(ids[: MAX_EACH + 1])
        if was_quiet and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.wake.set)

    async def tell(self) -> None:
        """A loop calls it, woken by the first change."""
        await asyncio.sleep(PERIOD_S)
        with self._lock:
            changed, self._changed = self._changed, set()
        if not changed:
            return
        told = [""] if len(changed) > MAX_EACH else sorted(changed)
        if self._store.dialect == "sqlite":
            for id_ in told:
                self._store.live.publish(TOPIC, id_)
            return
        await self._store.write(lambda tx: _publish(tx, told))


def _publish(tx: Tx, ids: Sequence[str]) -> None:
    for id_ in ids:
        tx.publish(TOPIC, id_)
