"""Series and families: found, made, listed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select

from atalaia.metrics.exposition import Metadata
from atalaia.metrics.postings import posting_keys
from atalaia.metrics.series import Series
from atalaia.metrics.tables import families, series
from atalaia.sdk.transaction import Tx

BATCH = 500
_labels = msgspec.json.Decoder(dict[str, str])


class SeriesRow(msgspec.Struct, frozen=True):
    id: int
    series: Series


Fits = Callable[[SeriesRow], bool]


def ids_by_digest(tx: Tx, digests: Collection[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    for some in _batched(list(digests)):
        statement = select(series.c.digest, series.c.id).where(series.c.digest.in_(some))
        found.update((bytes(row.digest), row.id) for row in tx.rows(statement))
    return found


def count_of_sender(tx: Tx, sender: str, *, since_day: int) -> int:
    mine = (series.c.sender == sender) & (series.c.seen_day >= since_day)
    return int(tx.value(select(func.count()).select_from(series).where(mine)))


def add_series(tx: Tx, new: Sequence[Series], *, sender: str | None, day: int) -> dict[bytes, int]:
    """Make series that are not there yet; the ids of all of them, by digest."""
    rows = [
        {"digest": each.digest, "name": each.name, "labels": dict(each.labels), "sender": sender, "seen_day": day}
        for each in new
    ]
    for some in _batched(rows):
        tx.upsert(series, some, key=["digest"])
    ids = ids_by_digest(tx, [each.digest for each in new])
    tx.raw_many(
        "INSERT INTO metrics_postings (key, series_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(key, ids[each.digest]) for each in new for key in posting_keys(each)],
    )
    return ids


def mark_seen(tx: Tx, series_ids: Collection[int], *, day: int) -> None:
    for some in _batched(list(series_ids)):
        tx.execute(series.update().where(series.c.id.in_(some), series.c.seen_day < day).values(seen_day=day))


def count_named(tx: Tx, metric: str) -> int:
    return int(tx.raw("SELECT count(*) FROM metrics_series WHERE name = ?", (metric,))[0][0])


def named(tx: Tx, metric: str, *, fits: Fits) -> list[SeriesRow]:
    """Those that fit, in order of id."""
    rows = tx.raw("SELECT id, name, labels FROM metrics_series WHERE name = ? ORDER BY id", (metric,))
    return [found for row in rows if fits(found := _raw_row(row))]


def ids_with(tx: Tx, groups: Sequence[Sequence[int]]) -> list[int]:
    """Series that have a posting of each group (at least one), in order of id."""
    each = [f"SELECT series_id FROM metrics_postings WHERE key IN ({_marks(keys)})" for keys in groups]  # noqa: S608 - marks only
    return sorted(row[0] for row in tx.raw(" INTERSECT ".join(each), [key for keys in groups for key in keys]))


def by_ids(tx: Tx, series_ids: Collection[int], *, fits: Fits | None = None) -> list[SeriesRow]:
    found: list[SeriesRow] = []
    for some in _batched(list(series_ids)):
        statement = f"SELECT id, name, labels FROM metrics_series WHERE id IN ({_marks(some)}) ORDER BY id"  # noqa: S608 - marks only
        rows = map(_raw_row, tx.raw(statement, some))
        found.extend(row for row in rows if fits is None or fits(row))
    return found


def list_series(tx: Tx, *, metric: str | None, after: int, limit: int) -> list[SeriesRow]:
    statement = select(series).where(series.c.id > after).order_by(series.c.id).limit(limit)
    if metric:
        statement = statement.where(series.c.name == metric)
    return [_row(row) for row in tx.rows(statement)]


def list_names(tx: Tx, *, search: str, after: str, limit: int) -> list[tuple[str, int, str, str]]:
    """Name, number of series, type and help; type and help may be empty."""
    counted = (
        select(series.c.name, func.count().label("series"))
        .where(series.c.name > after)
        .group_by(series.c.name)
        .order_by(series.c.name)
        .limit(limit)
    )
    if search:
        counted = counted.where(series.c.name.contains(search, autoescape=True))
    inner = counted.subquery()
    statement = (
        select(inner.c.name, inner.c.series, families.c.type, families.c.help)
        .outerjoin(families, families.c.name == inner.c.name)
        .order_by(inner.c.name)
    )
    return [(row.name, row.series, row.type or "", row.help or "") for row in tx.rows(statement)]


def keep_metadata(tx: Tx, said: Iterable[Metadata]) -> None:
    """Keep what HELP and TYPE lines say; the last word counts."""
    texts: dict[str, dict[str, str]] = {}
    for each in said:
        texts.setdefault(each.metric, {})[each.field] = each.text
    for field in ("type", "help"):
        rows: list[dict[str, Any]] = [
            {"name": name, "type": "", "help": ""} | {field: told[field]}
            for name, told in texts.items()
            if field in told
        ]
        tx.upsert(families, rows, key=["name"], update=[field])


def _raw_row(row: Sequence[Any]) -> SeriesRow:
    return SeriesRow(row[0], Series(row[1], tuple(sorted(_labels.decode(row[2]).items()))))


def _marks(items: Sequence[Any]) -> str:
    return ",".join("?" * len(items))


def _row(row: Any) -> SeriesRow:
    return SeriesRow(row.id, Series(row.name, tuple(sorted(row.labels.items()))))


def _batched(items: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
