"""Ended jobs that start again, and those that are dropped."""

from collections.abc import Sequence
from typing import NamedTuple

from atalaia.jobs.model.states import BEHIND, END, READY, State
from atalaia.jobs.queries.many import among, packed
from atalaia.sdk.transaction import Tx

_STARTABLE = (
    "SELECT j.seq, j.id, j.lane, j.priority, j.max_attempts, j.unique_key, j.concurrency_key, e.attempts, e.lease,"
    " e.token, e.answered FROM job_ends e JOIN jobs j ON j.seq = e.seq"
)


class Startable(NamedTuple):
    seq: int
    id: str
    lane: int
    priority: int
    max_attempts: int
    unique_key: str | None
    concurrency_key: str | None
    attempts: int
    lease: int
    token: str
    answered: int | None


def startable(tx: Tx, seqs: Sequence[int]) -> list[Startable]:
    lock = " FOR UPDATE OF e" if tx.dialect == "postgresql" else ""
    sql = f"{_STARTABLE} WHERE e.seq {among(tx)} ORDER BY e.seq{lock}"
    return [Startable._make(row) for row in tx.raw(sql, (packed(tx, seqs),))]


def ended_in(
    tx: Tx, states: Sequence[State], *, lanes: Sequence[int] | None, created_from_ms: int, limit: int
) -> list[int]:
    """The oldest first; not for what succeeded."""
    numbers = ", ".join(str(END[state]) for state in states)
    among_lanes = "" if lanes is None else f" AND j.lane {among(tx)}"
    sql = (
        f"SELECT e.seq FROM job_ends e JOIN jobs j ON j.seq = e.seq WHERE e.state IN ({numbers})"  # noqa: S608 - numbers
        f" AND e.state <> {END[State.SUCCEEDED]} AND j.created_at >= ?{among_lanes} ORDER BY e.seq LIMIT ?"
    )
    params = (created_from_ms, *(() if lanes is None else (packed(tx, lanes),)), limit)
    return [row[0] for row in tx.raw(sql, params)]


_RESTORE = (
    "INSERT INTO job_queue (seq, id, lane, place, phase, rank, attempts, max_attempts, lost, irreversible, is_cancelled,"
    " is_resolve, ttl_ms, lease, due_at, changed_at, leased_until, deadline_at, token, answered, unique_key, concurrency_key)"
    " VALUES (?, ?, ?, ?, 0, ?, ?, ?, 0, 0, 0, 0, 0, ?, ?, ?, 0, 0, ?, ?, ?, ?)"
)


def restore(tx: Tx, job: Startable, *, now_ms: int) -> None:
    """Back into the queue, due at once, with all its attempts; its lease number goes on."""
    tx.raw("DELETE FROM job_ends WHERE seq = ?", (job.seq,))
    place = READY if job.concurrency_key is None else BEHIND
    most = min(job.attempts + job.max_attempts, 32_000)
    tx.raw(
        _RESTORE,
        (
            job.seq,
            job.id,
            job.lane,
            place,
            -job.priority,
            job.attempts,
            most,
            job.lease,
            now_ms,
            now_ms,
            job.token,
            job.answered,
            job.unique_key,
            job.concurrency_key,
        ),
    )


def confirm(tx: Tx, seq: int, *, result: str) -> bool:
    """An unknown outcome becomes a success; whether it was unknown still."""
    sql = (
        f"UPDATE job_ends SET state = {END[State.SUCCEEDED]}, error = NULL, result = ?"  # noqa: S608 - numbers
        f" WHERE seq = ? AND state = {END[State.UNKNOWN]} RETURNING seq"
    )
    return bool(tx.raw(sql, (result, seq)))


class Oldest(NamedTuple):
    seq: int
    created_ms: int
    ended_ms: int | None


def oldest_after(tx: Tx, seq: int, *, limit: int) -> list[Oldest]:
    sql = (
        "SELECT j.seq, j.created_at, e.ended_at FROM jobs j LEFT JOIN job_ends e ON e.seq = j.seq"
        " WHERE j.seq > ? ORDER BY j.seq LIMIT ?"
    )
    return [Oldest._make(row) for row in tx.raw(sql, (seq, limit))]


def drop(tx: Tx, seqs: Sequence[int]) -> None:
    """Whatever is known of these jobs."""
    for table in ("job_steps", "job_ends", "jobs"):
        tx.raw(f"DELETE FROM {table} WHERE seq {among(tx)}", (packed(tx, seqs),))  # noqa: S608 - of our own


def drop_requests(tx: Tx, *, before_ms: int, limit: int) -> int:
    sql = (
        "DELETE FROM job_requests WHERE (requester, key) IN"
        " (SELECT requester, key FROM job_requests WHERE created_at < ? ORDER BY created_at LIMIT ?) RETURNING 1"
    )
    return len(tx.raw(sql, (before_ms, limit)))
