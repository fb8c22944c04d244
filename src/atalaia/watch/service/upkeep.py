"""Housekeeping of watch."""

from datetime import datetime

from atalaia.store.store import Store
from atalaia.watch.queries import checks, history
from atalaia.watch.service.checks import CheckBook

BATCH_ROWS = 2000


class Upkeep:
    def __init__(self, store: Store, book: CheckBook) -> None:
        self._store = store
        self._book = book

    async def place_orphans(self) -> None:
        """Asks before it writes: nearly always there is nothing to do."""
        if await self._store.read(checks.without_place):
            await self._store.write(self._book.place_orphans)

    async def remove_before(self, before: datetime) -> None:
        while await self._store.write(lambda tx: history.remove_before(tx, before, limit=BATCH_ROWS)) >= BATCH_ROWS:
            pass
