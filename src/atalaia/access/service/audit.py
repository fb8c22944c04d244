"""The audit log: read, and kept for as long as is set."""

from collections.abc import AsyncIterator
from datetime import datetime

from atalaia.access.model import AuditEntry, AuditFilter
from atalaia.access.queries import audit as queries
from atalaia.store.store import Store
from atalaia.web.cursors import decode_cursor, page_of

_EXPORT_BATCH = 500
# Of one step of dropping: short enough that nobody waits for it.
_DROP_BATCH = 500
_MAX_STEPS = 200


class AuditService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def page(
        self, filter_: AuditFilter, *, cursor: str | None, limit: int
    ) -> tuple[list[AuditEntry], str | None]:
        """Newest first, and the cursor of the next page."""
        after = decode_cursor(cursor, str)
        before = after[0] if after else None
        rows = await self._store.read(lambda tx: queries.page(tx, filter_, limit=limit + 1, before=before))
        return page_of(rows, limit, lambda entry: (entry.id,))

    async def export(self, filter_: AuditFilter) -> AsyncIterator[list[AuditEntry]]:
        """All of it, newest first, in batches that a memory can hold."""
        before: str | None = None
        while True:
            batch = await self._read_batch(filter_, before)
            if batch:
                yield batch
            if len(batch) < _EXPORT_BATCH:
                return
            before = batch[-1].id

    async def drop_old(self, *, before: datetime) -> None:
        """Drop what is older, in small steps; what is too much for one round goes in the next."""
        for _ in range(_MAX_STEPS):
            if not await self._store.write(lambda tx: queries.drop_old(tx, before=before, limit=_DROP_BATCH)):
                return

    async def _read_batch(self, filter_: AuditFilter, before: str | None) -> list[AuditEntry]:
        return await self._store.read(lambda tx: queries.page(tx, filter_, limit=_EXPORT_BATCH, before=before))
