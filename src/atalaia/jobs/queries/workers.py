"""Workers that have been seen."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from atalaia.jobs.tables import job_workers as workers
from atalaia.sdk.transaction import Tx


class WorkerRow(NamedTuple):
    id: str
    incarnation: str
    version: str
    commit_id: str
    types: list[str]
    address: str
    is_draining: bool
    first_seen_at: datetime
    seen_at: datetime


_SEEN = ("incarnation", "version", "commit_id", "types", "address", "is_draining", "seen_at")


def all_of_them(tx: Tx) -> list[WorkerRow]:
    columns = [workers.c[name] for name in WorkerRow._fields]
    return [WorkerRow._make(row) for row in tx.rows(select(*columns).order_by(workers.c.id))]


def keep(tx: Tx, rows: Sequence[WorkerRow]) -> None:
    tx.upsert(workers, [row._asdict() for row in rows], key=["id"], update=_SEEN)


def set_draining(tx: Tx, id: str, *, is_draining: bool) -> bool:
    return tx.execute(workers.update().where(workers.c.id == id).values(is_draining=is_draining)) > 0


def drop_unseen(tx: Tx, *, before: datetime) -> None:
    tx.execute(workers.delete().where(workers.c.seen_at < before))
