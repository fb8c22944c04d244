"""Hot SQL: pings in, each once."""

from collections.abc import Iterable, Sequence

from atalaia.pings.model import SourceKey
from atalaia.sdk.transaction import Tx

# ping_id, source id, ms
Row = tuple[bytes, int, int]

_INSERT = "INSERT OR IGNORE INTO pings (ping_id, source_id, received_at) VALUES (?, ?, ?)"
_INSERT_MANY = (
    "INSERT INTO pings (ping_id, source_id, received_at)"
    " SELECT * FROM unnest(?::bytea[], ?::integer[], ?::bigint[]) ON CONFLICT DO NOTHING RETURNING 1"
)
_CHANGES = "SELECT total_changes()"
_COUNT = (
    "INSERT INTO ping_counts (source_id, minute, count) VALUES (?, ?, ?)"
    " ON CONFLICT (source_id, minute) DO UPDATE SET count = ping_counts.count + excluded.count"
)
_ADD_SOURCE = "INSERT INTO ping_sources (location, datacenter, country) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_SOURCE = "SELECT id FROM ping_sources WHERE location = ? AND datacenter = ? AND country = ?"


def add(tx: Tx, rows: Sequence[Row]) -> int:
    """How many of them were new."""
    if tx.dialect == "sqlite":
        before: int = tx.raw(_CHANGES)[0][0]
        tx.raw_many(_INSERT, rows)
        return int(tx.raw(_CHANGES)[0][0]) - before
    # In one order on every hub, so that two of them can't wait for each other.
    columns = [list(column) for column in zip(*sorted(rows), strict=True)]
    return len(tx.raw(_INSERT_MANY, columns))


def count(tx: Tx, counts: Iterable[tuple[int, int, int]]) -> None:
    """Source id, minute, how many more."""
    tx.raw_many(_COUNT, sorted(counts))


def source_id(tx: Tx, key: SourceKey) -> int | None:
    rows = tx.raw(_SOURCE, key)
    return rows[0][0] if rows else None


def add_source(tx: Tx, key: SourceKey) -> int:
    tx.raw(_ADD_SOURCE, key)
    return int(tx.raw(_SOURCE, key)[0][0])


def count_sources(tx: Tx) -> int:
    return int(tx.raw("SELECT count(*) FROM ping_sources")[0][0])


_DROP_OLD = {
    "sqlite": "DELETE FROM pings WHERE rowid IN (SELECT rowid FROM pings ORDER BY rowid LIMIT ?) AND received_at < ?",
    "postgresql": (
        "DELETE FROM pings WHERE ctid = ANY (ARRAY(SELECT ctid FROM pings WHERE received_at < ? LIMIT ?)) RETURNING 1"
    ),
}


def drop_old(tx: Tx, *, received_before_ms: int, limit: int) -> int:
    """Up to `limit` of those that came in first; how many are gone."""
    if tx.dialect == "postgresql":
        return len(tx.raw(_DROP_OLD["postgresql"], (received_before_ms, limit)))
    before: int = tx.raw(_CHANGES)[0][0]
    tx.raw(_DROP_OLD["sqlite"], (limit, received_before_ms))
    return int(tx.raw(_CHANGES)[0][0]) - before
