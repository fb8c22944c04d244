"""SQL on files of residents that wait for somebody to say "import"."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update

from atalaia.integrations.cvepro.tables import rosters
from atalaia.sdk.transaction import Tx


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """`counts` of rows by state, once it is done."""

    id: str
    file_id: str
    name: str
    may_move: bool
    created_by: str
    created_at: datetime
    expires_at: datetime
    done_at: datetime | None = None
    counts: Mapping[str, int] = {}


def add(tx: Tx, new: Waiting) -> None:
    tx.execute(insert(rosters).values(**{name: getattr(new, name) for name in Waiting.__struct_fields__}))


def find(tx: Tx, id: str) -> Waiting | None:
    row = tx.one(select(rosters).where(rosters.c.id == id))
    return None if row is None else _waiting(row)


def finish(tx: Tx, id: str, *, counts: Mapping[str, int], at: datetime) -> None:
    tx.execute(update(rosters).where(rosters.c.id == id).values(done_at=at, counts=dict(counts)))


def expired(tx: Tx, now: datetime) -> Sequence[Waiting]:
    return [_waiting(row) for row in tx.rows(select(rosters).where(rosters.c.expires_at <= now))]


def drop(tx: Tx, id: str) -> None:
    tx.execute(delete(rosters).where(rosters.c.id == id))


def _waiting(row: Any) -> Waiting:
    return Waiting(**{**row._asdict(), "may_move": bool(row.may_move)})
