"""Files in the database: backed up, shared by all hubs and committed with the rows that name them.

In parts, so that no row is wider than an engine likes. Which of them belong together is `owner`'s affair.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select

from atalaia.core.ids import new_id
from atalaia.sdk.files import FileRef
from atalaia.sdk.transaction import Tx
from atalaia.store.tables import file_parts, files

PART_BYTES: Final = 256 * 1024


class StoreFiles:
    """sdk.files.Files, for one owner."""

    def __init__(self, owner: str, *, now: Callable[[], datetime]) -> None:
        self._owner = owner
        self._now = now

    def keep(self, tx: Tx, *, name: str, media_type: str, content: bytes) -> FileRef:
        ref = FileRef(
            id=new_id(),
            name=name,
            media_type=media_type,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            created_at=self._now(),
        )
        values = {each: getattr(ref, each) for each in ref.__slots__}
        tx.execute(insert(files).values(**values, owner=self._owner))
        starts = range(0, len(content), PART_BYTES)
        tx.insert(
            file_parts,
            [{"file_id": ref.id, "n": n, "data": content[at : at + PART_BYTES]} for n, at in enumerate(starts)],
        )
        return ref

    def find(self, tx: Tx, id: str) -> FileRef | None:
        names = FileRef.__slots__
        row = tx.one(select(*(files.c[name] for name in names)).where(files.c.id == id, files.c.owner == self._owner))
        return None if row is None else FileRef(**row._asdict())

    def read(self, tx: Tx, id: str) -> bytes | None:
        if self.find(tx, id) is None:
            return None
        parts = tx.rows(select(file_parts.c.data).where(file_parts.c.file_id == id).order_by(file_parts.c.n))
        return b"".join(bytes(row.data) for row in parts)

    def drop(self, tx: Tx, id: str) -> None:
        if tx.execute(delete(files).where(files.c.id == id, files.c.owner == self._owner)):
            tx.execute(delete(file_parts).where(file_parts.c.file_id == id))
