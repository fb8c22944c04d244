"""Hot SQL: pings in, each once.

On SQLite what came in is appended, a row a commit, and the hub remembers the newest ids: an index on random ids would dirty
a page for each of them (27 µs of CPU a ping beside 200,000 of them, against 8 µs). On PostgreSQL, where several hubs may
take the same ping, its unique index decides.
"""

from collections.abc import Iterable, Iterator

from atalaia.pings.model import ID_BYTES, SourceKey
from atalaia.sdk.transaction import Tx

_APPEND = "INSERT INTO ping_batches (received_at, ids) VALUES (?, ?)"
_INSERT = "INSERT INTO pings (ping_id, received_at) SELECT unnest(?::bytea[]), ?::bigint ON CONFLICT DO NOTHING RETURNING ping_id"
_NEWEST = "SELECT id, ids FROM ping_batches WHERE id < ? ORDER BY id DESC LIMIT 500"
_COUNT = (
    "INSERT INTO ping_counts (source_id, minute, count) VALUES (?, ?, ?)"
    " ON CONFLICT (source_id, minute) DO UPDATE SET count = ping_counts.count + excluded.count"
)
_ADD_SOURCE = "INSERT INTO ping_sources (location, datacenter, country) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_SOURCE = "SELECT id FROM ping_sources WHERE location = ? AND datacenter = ? AND country = ?"
_MAX_ID = 2**63 - 1


def append(tx: Tx, ids: Iterable[bytes], *, received_ms: int) -> None:
    tx.raw(_APPEND, (received_ms, b"".join(ids)))


def newest(tx: Tx) -> Iterator[bytes]:
    """Ids of pings, from the last one backwards."""
    before = _MAX_ID
    while rows := tx.raw(_NEWEST, (before,)):
        for before, ids in rows:  # noqa: B007 - the last one is where the next step begins
            for start in range(len(ids) - ID_BYTES, -1, -ID_BYTES):
                yield ids[start : start + ID_BYTES]


def insert(tx: Tx, ids: Iterable[bytes], *, received_ms: int) -> set[bytes]:
    """Those that were new. In one order on every hub, so that two of them can't wait for each other."""
    return {row[0] for row in tx.raw(_INSERT, (sorted(ids), received_ms))}


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


_DROP_OLD_SQLITE = (
    "DELETE FROM ping_batches WHERE id IN (SELECT id FROM ping_batches ORDER BY id LIMIT ?) AND received_at < ?"
    " RETURNING id"
)
_DROP_OLD_POSTGRESQL = (
    "DELETE FROM pings WHERE ctid = ANY (ARRAY(SELECT ctid FROM pings WHERE received_at < ? LIMIT ?)) RETURNING 1"
)


def drop_old(tx: Tx, *, received_before_ms: int, limit: int) -> int:
    """Up to `limit` rows of those that came in first; how many are gone."""
    if tx.dialect == "postgresql":
        return len(tx.raw(_DROP_OLD_POSTGRESQL, (received_before_ms, limit)))
    return len(tx.raw(_DROP_OLD_SQLITE, (limit, received_before_ms)))
