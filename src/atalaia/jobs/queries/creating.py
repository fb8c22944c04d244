"""Jobs in: their numbers, rows, and the keys that make a repeat the same job."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from atalaia.jobs.model.states import BEHIND, READY, SCHEDULED, State, state_of
from atalaia.jobs.queries.many import among, insert_many, packed
from atalaia.sdk.transaction import Tx

# In one order, so that two hubs can't wait for each other. Until the end of the transaction.
_LOCK = (
    "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM (SELECT unnest(?::text[]) AS key ORDER BY 1) AS keys"
)
_NEXT_POSTGRESQL = "SELECT nextval('jobs_seq_seq') FROM generate_series(1, ?)"
_LAST_SQLITE = "SELECT seq FROM sqlite_sequence WHERE name = 'jobs'"
_JOBS = {
    "seq": "bigint",
    "id": "text",
    "lane": "int",
    "priority": "smallint",
    "max_attempts": "smallint",
    "created_at": "bigint",
    "run_at": "bigint",
    "created_by": "text",
    "unique_key": "text",
    "concurrency_key": "text",
    "payload_sha256": "text",
    "payload": "text",
}
_QUEUE = {
    "seq": "bigint",
    "id": "text",
    "lane": "int",
    "place": "smallint",
    "phase": "smallint",
    "rank": "smallint",
    "attempts": "smallint",
    "max_attempts": "smallint",
    "lost": "smallint",
    "irreversible": "smallint",
    "is_cancelled": "smallint",
    "is_resolve": "smallint",
    "ttl_ms": "int",
    "lease": "bigint",
    "due_at": "bigint",
    "changed_at": "bigint",
    "leased_until": "bigint",
    "deadline_at": "bigint",
    "token": "text",
    "unique_key": "text",
    "concurrency_key": "text",
}


class NewRow(NamedTuple):
    seq: int
    id: str
    lane: int
    priority: int
    max_attempts: int
    created_ms: int
    run_ms: int | None
    created_by: str
    unique_key: str | None
    concurrency_key: str | None
    payload_sha256: str
    payload: str


class Unfinished(NamedTuple):
    id: str
    state: State


def lock_keys(tx: Tx, keys: Iterable[str]) -> None:
    """Hubs on one PostgreSQL take turns for the same key; SQLite has one writer."""
    if tx.dialect == "postgresql":
        wanted = sorted(set(keys))
        if wanted:
            tx.raw(_LOCK, (wanted,))


def take_numbers(tx: Tx, count: int) -> list[int]:
    if tx.dialect == "postgresql":
        return sorted(row[0] for row in tx.raw(_NEXT_POSTGRESQL, (count,)))
    rows = tx.raw(_LAST_SQLITE)
    last = rows[0][0] if rows else 0
    return list(range(last + 1, last + count + 1))


def add(tx: Tx, rows: Sequence[NewRow], *, now_ms: int) -> None:
    insert_many(tx, "jobs", _JOBS, rows)
    insert_many(tx, "job_queue", _QUEUE, [_queued(row, now_ms) for row in rows])


def _queued(row: NewRow, now_ms: int) -> tuple[object, ...]:
    due_ms = row.run_ms if row.run_ms is not None else now_ms
    place = BEHIND if row.concurrency_key is not None else READY if due_ms <= now_ms else SCHEDULED
    return (
        row.seq, row.id, row.lane, place, 0, -row.priority, 0, row.max_attempts, 0, 0, 0, 0, 0, 0, due_ms, now_ms, 0, 0,
        "", row.unique_key, row.concurrency_key,
    )  # fmt: skip


def unfinished_by_key(tx: Tx, unique_keys: Sequence[str]) -> dict[str, Unfinished]:
    if not unique_keys:
        return {}
    sql = f"SELECT unique_key, id, place, phase, is_resolve FROM job_queue WHERE unique_key {among(tx)}"  # noqa: S608 - of our own
    return {
        key: Unfinished(id_, state_of(place, phase, is_resolve=bool(is_resolve)))
        for key, id_, place, phase, is_resolve in tx.raw(sql, (packed(tx, unique_keys),))
    }


class KeptAnswer(NamedTuple):
    fingerprint: str
    answer: str


def kept_answer(tx: Tx, requester: str, key: str) -> KeptAnswer | None:
    rows = tx.raw("SELECT fingerprint, answer FROM job_requests WHERE requester = ? AND key = ?", (requester, key))
    return KeptAnswer(*rows[0]) if rows else None


def keep_answer(tx: Tx, requester: str, key: str, kept: KeptAnswer, *, now_ms: int) -> None:
    tx.raw(
        "INSERT INTO job_requests (requester, key, fingerprint, answer, created_at) VALUES (?, ?, ?, ?, ?)",
        (requester, key, kept.fingerprint, kept.answer, now_ms),
    )
