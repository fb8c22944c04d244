"""The log, the chunks and the roll-ups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import bindparam, delete, func, select, update

from atalaia.metrics.tables import chunks, damaged, log, rollups
from atalaia.sdk.transaction import Tx

BATCH = 500


class ChunkRow(msgspec.Struct, frozen=True):
    """A stored chunk; `edition` 0 stands for one that is not there yet."""

    series_id: int
    span: int
    edition: int
    is_rolled: bool
    data: bytes


class RollupRow(msgspec.Struct, frozen=True):
    series_id: int
    width_s: int
    day: int
    is_final: bool
    data: bytes


class ChangedMeanwhile(Exception):
    """Another hub has changed a chunk since it was read."""


# -- the log


def add_to_log(tx: Tx, *, samples: int, data: bytes) -> int:
    rows = tx.raw("INSERT INTO metrics_log (samples, data) VALUES (?, ?) RETURNING id", (samples, data))
    return int(rows[0][0])


def log_ids(tx: Tx) -> set[int]:
    return {row[0] for row in tx.raw("SELECT id FROM metrics_log")}


def log_size(tx: Tx) -> int:
    return int(tx.value(select(func.coalesce(func.sum(log.c.samples), 0))))


def read_log(tx: Tx, *, limit: int) -> list[tuple[int, bytes]]:
    rows = tx.rows(select(log.c.id, log.c.data).order_by(log.c.id).limit(limit))
    return [(row.id, bytes(row.data)) for row in rows]


def read_log_rows(tx: Tx, ids: Collection[int]) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    for some in _batched(sorted(ids)):
        found.extend((row.id, bytes(row.data)) for row in tx.rows(select(log).where(log.c.id.in_(some))))
    return found


def drop_from_log(tx: Tx, ids: Collection[int]) -> None:
    for some in _batched(sorted(ids)):
        tx.execute(delete(log).where(log.c.id.in_(some)))


# -- chunks


def find_chunks(
    tx: Tx, series_ids: Sequence[int], *, spans: tuple[int, int], only_unrolled: bool = False
) -> list[ChunkRow]:
    """Chunks of these series with spans[0] <= span < spans[1], in order of time within a series."""
    found: list[ChunkRow] = []
    extra = " AND NOT is_rolled" if only_unrolled else ""
    for some in _batched(series_ids):
        marks = ",".join("?" * len(some))
        rows = tx.raw(
            "SELECT series_id, span, edition, is_rolled, data FROM metrics_chunks"  # noqa: S608 - marks only
            f" WHERE series_id IN ({marks}) AND span >= ? AND span < ?{extra} ORDER BY series_id, span",
            (*some, *spans),
        )
        found.extend(ChunkRow(row[0], row[1], row[2], bool(row[3]), bytes(row[4])) for row in rows)
    return found


def unrolled_days(tx: Tx, *, before_span: int, spans_a_day: int, limit: int) -> list[tuple[int, int]]:
    """Series and days with chunks that are not in a roll-up yet, the oldest first."""
    statement = (
        select(chunks.c.series_id, chunks.c.span)
        .where(~chunks.c.is_rolled, chunks.c.span < before_span)
        .order_by(chunks.c.span)
        .limit(limit)
    )
    return list(dict.fromkeys((row.series_id, row.span // spans_a_day) for row in tx.rows(statement)))


def put_chunks(tx: Tx, rows: Sequence[ChunkRow]) -> None:
    """Write chunks as the successors of those that were read.

    Raises:
        ChangedMeanwhile: one has changed since; nothing may be kept of the unit.
    """
    new = [row for row in rows if row.edition == 0]
    old = [row for row in rows if row.edition]
    written = 0
    if new:
        values = [
            {"series_id": row.series_id, "span": row.span, "edition": 1, "is_rolled": row.is_rolled, "data": row.data}
            for row in new
        ]
        written += tx.upsert(chunks, values, key=["series_id", "span"])
    if old:
        statement = (
            update(chunks)
            .where(
                chunks.c.series_id == bindparam("its_series"),
                chunks.c.span == bindparam("its_span"),
                chunks.c.edition == bindparam("its_edition"),
            )
            .values(data=bindparam("new_data"), is_rolled=bindparam("rolled"), edition=bindparam("next_edition"))
        )
        values = [
            {
                "its_series": row.series_id,
                "its_span": row.span,
                "its_edition": row.edition,
                "next_edition": row.edition + 1,
                "new_data": row.data,
                "rolled": row.is_rolled,
            }
            for row in old
        ]
        written += tx.execute(statement, values)
    if written != len(rows):
        raise ChangedMeanwhile


def settle_chunks(tx: Tx, rows: Sequence[ChunkRow], *, is_gone: bool) -> None:
    """Mark chunks as rolled up, or remove them.

    Raises:
        ChangedMeanwhile: one has changed since it was read.
    """
    same = (
        (chunks.c.series_id == bindparam("its_series"))
        & (chunks.c.span == bindparam("its_span"))
        & (chunks.c.edition == bindparam("its_edition"))
    )
    statement = delete(chunks).where(same) if is_gone else update(chunks).where(same).values(is_rolled=True)
    values = [{"its_series": row.series_id, "its_span": row.span, "its_edition": row.edition} for row in rows]
    if values and tx.execute(statement, values) != len(values):
        raise ChangedMeanwhile


def keep_damaged(tx: Tx, rows: Sequence[ChunkRow], *, now: datetime) -> None:
    tx.insert(
        damaged, [{"series_id": row.series_id, "span": row.span, "data": row.data, "found_at": now} for row in rows]
    )


# -- roll-ups


def find_rollups(
    tx: Tx, series_ids: Sequence[int], *, widths_s: Sequence[int], days: tuple[int, int]
) -> list[RollupRow]:
    """Roll-ups of these series with days[0] <= day < days[1]; a series' wider ones first, each in order of time."""
    found: list[RollupRow] = []
    widths = ",".join("?" * len(widths_s))
    for some in _batched(series_ids):
        marks = ",".join("?" * len(some))
        rows = tx.raw(
            "SELECT series_id, width_s, day, is_final, data FROM metrics_rollups"  # noqa: S608 - marks only
            f" WHERE series_id IN ({marks}) AND width_s IN ({widths}) AND day >= ? AND day < ?"
            " ORDER BY series_id, width_s DESC, day",
            (*some, *widths_s, *days),
        )
        found.extend(RollupRow(row[0], row[1], row[2], bool(row[3]), bytes(row[4])) for row in rows)
    return found


def open_days(tx: Tx, *, before_day: int, limit: int) -> list[tuple[int, int]]:
    """Series and days that are rolled up and still have their samples, the oldest first."""
    statement = (
        select(rollups.c.series_id, rollups.c.day)
        .where(~rollups.c.is_final, rollups.c.day < before_day)
        .order_by(rollups.c.day)
        .limit(limit)
    )
    return [(row.series_id, row.day) for row in tx.rows(statement)]


def put_rollups(tx: Tx, rows: Sequence[RollupRow]) -> None:
    values = [msgspec.to_builtins(row, builtin_types=(bytes,)) for row in rows]
    tx.upsert(rollups, values, key=["series_id", "width_s", "day"], update=["is_final", "data"])


def drop_rollups(tx: Tx, *, width_s: int, before_day: int, limit: int) -> int:
    """Remove old roll-ups, at most `limit`; how many."""
    old = (
        select(rollups.c.id)
        .where(rollups.c.width_s == width_s, rollups.c.day < before_day)
        .order_by(rollups.c.day)
        .limit(limit)
    )
    return tx.execute(delete(rollups).where(rollups.c.id.in_(old)))


def _batched(items: Sequence[int]) -> Iterable[Sequence[int]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
