"""Files that an integration keeps in the store, beside its rows and in the same transaction: reports, what people upload."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from atalaia.sdk.transaction import Tx


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a form, as the browser names it: its name and kind are claims of whoever sends it."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    id: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: datetime


class Files(Protocol):
    """An integration sees its own alone."""

    def keep(self, tx: Tx, *, name: str, media_type: str, content: bytes) -> FileRef: ...

    def find(self, tx: Tx, id: str) -> FileRef | None: ...

    def read(self, tx: Tx, id: str) -> bytes | None: ...

    def drop(self, tx: Tx, id: str) -> None:
        """Nothing where there is none."""
