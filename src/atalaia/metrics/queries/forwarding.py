"""The queue of what is to be forwarded, and the batches that are on their way."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import delete, func, select, update

from atalaia.metrics.queries.samples import ChangedMeanwhile
from atalaia.metrics.tables import forward_batches, forward_queue
from atalaia.sdk.transaction import Tx


class QueuedRow(msgspec.Struct, frozen=True):
    id: int
    samples: int
    created_at: datetime
    data: bytes


class Batch(msgspec.Struct, frozen=True):
    id: int
    samples: int
    created_at: datetime
    body: bytes


class Depth(msgspec.Struct, frozen=True):
    """What waits for a target: samples, bytes, and since when."""

    samples: int = 0
    size_bytes: int = 0
    oldest_at: datetime | None = None
    set_aside: int = 0


def enqueue(tx: Tx, targets: Sequence[str], *, samples: int, data: bytes, now_ms: int) -> None:
    tx.raw_many(
        "INSERT INTO metrics_forward_queue (target, samples, created_at, data) VALUES (?, ?, ?, ?)",
        [(target, samples, now_ms, data) for target in targets],
    )


def read_queue(tx: Tx, target: str, *, limit: int) -> list[QueuedRow]:
    statement = select(forward_queue).where(forward_queue.c.target == target).order_by(forward_queue.c.id).limit(limit)
    return [QueuedRow(row.id, row.samples, row.created_at, bytes(row.data)) for row in tx.rows(statement)]


def make_batches(
    tx: Tx, target: str, *, queued: Collection[int], batches: Sequence[tuple[int, datetime, bytes]]
) -> None:
    """Put batches (samples, age, body) in the place of rows of the queue.

    Raises:
        ChangedMeanwhile: another hub has taken some of the rows.
    """
    if tx.execute(delete(forward_queue).where(forward_queue.c.id.in_(list(queued)))) != len(queued):
        raise ChangedMeanwhile
    rows = [{"target": target, "samples": n, "created_at": at, "body": body} for n, at, body in batches]
    tx.insert(forward_batches, rows)


def next_batch(tx: Tx, target: str) -> Batch | None:
    mine = (forward_batches.c.target == target) & forward_batches.c.set_aside_at.is_(None)
    row = tx.one(select(forward_batches).where(mine).order_by(forward_batches.c.id).limit(1))
    return Batch(row.id, row.samples, row.created_at, bytes(row.body)) if row else None


def drop_batch(tx: Tx, batch_id: int) -> None:
    tx.execute(delete(forward_batches).where(forward_batches.c.id == batch_id))


def set_aside(tx: Tx, batch_id: int, *, why: str, now: datetime) -> None:
    mine = forward_batches.c.id == batch_id
    tx.execute(update(forward_batches).where(mine).values(set_aside_at=now, why=why[:1000]))


def clean_up(tx: Tx, *, targets: Collection[str], before: datetime, aside_kept: int) -> None:
    """Remove what has waited since `before` for targets that are no longer set, and all but the newest set aside."""
    for table in (forward_queue, forward_batches):
        tx.execute(delete(table).where(table.c.target.not_in(list(targets)), table.c.created_at < before))
    aside = (
        select(forward_batches.c.id)
        .where(forward_batches.c.set_aside_at.is_not(None))
        .order_by(forward_batches.c.id.desc())
        .offset(aside_kept)
    )
    tx.execute(delete(forward_batches).where(forward_batches.c.id.in_(aside.limit(1_000))))


def depth(tx: Tx, target: str) -> Depth:
    queue = tx.one(
        select(
            func.coalesce(func.sum(forward_queue.c.samples), 0).label("samples"),
            func.coalesce(func.sum(func.length(forward_queue.c.data)), 0).label("size"),
            func.min(forward_queue.c.created_at).label("oldest_at"),
        ).where(forward_queue.c.target == target)
    )
    batches = tx.one(
        select(
            func.coalesce(func.sum(forward_batches.c.samples), 0).label("samples"),
            func.coalesce(func.sum(func.length(forward_batches.c.body)), 0).label("size"),
            func.min(forward_batches.c.created_at).label("oldest_at"),
        ).where(forward_batches.c.target == target, forward_batches.c.set_aside_at.is_(None))
    )
    aside = tx.value(
        select(func.count())
        .select_from(forward_batches)
        .where(forward_batches.c.target == target, forward_batches.c.set_aside_at.is_not(None))
    )
    both = [row for row in (queue, batches) if row is not None]
    oldest = [row.oldest_at for row in both if row.oldest_at is not None]
    return Depth(
        sum(int(row.samples) for row in both),
        sum(int(row.size) for row in both),
        min(oldest, default=None),
        int(aside),
    )


def drop_oldest(tx: Tx, target: str, *, size_bytes: int) -> int:
    """Make room of at least so many bytes, if there are; how many samples were dropped."""
    dropped = freed = 0
    for table, column in ((forward_batches, forward_batches.c.body), (forward_queue, forward_queue.c.data)):
        statement = (
            select(table.c.id, table.c.samples, func.length(column).label("size"))
            .where(table.c.target == target)
            .order_by(table.c.id)
            .limit(2_000)
        )
        for row in tx.rows(statement):
            if freed >= size_bytes:
                return dropped
            tx.execute(delete(table).where(table.c.id == row.id))
            freed += row.size
            dropped += row.samples
    return dropped
