"""Jobs that are held by a lease: found by number, renewed, ended, put back."""

from collections.abc import Sequence
from typing import NamedTuple

from atalaia.jobs.model.states import END, HELD, State
from atalaia.jobs.queries.many import among, array, insert_many, packed
from atalaia.sdk.transaction import Tx

_COLUMNS = (
    "seq, id, place, phase, lease, token, lane, attempts, max_attempts, lost, irreversible, is_cancelled, is_resolve,"
    " ttl_ms, leased_until, deadline_at, changed_at, answered, concurrency_key, worker, rank, due_at, error"
)


class Queued(NamedTuple):
    """A row of the queue, without what only the search for due ones needs."""

    seq: int
    id: str
    place: int
    phase: int
    lease: int
    token: str
    lane: int
    attempts: int
    max_attempts: int
    lost: int
    irreversible: int
    is_cancelled: int
    is_resolve: int
    ttl_ms: int
    leased_until: int
    deadline_at: int
    changed_at: int
    answered: int | None
    concurrency_key: str | None
    worker: str | None
    rank: int
    due_at: int
    error: str | None


class Ended(NamedTuple):
    seq: int
    state: int
    attempts: int
    lost: int
    lease: int
    ended_at: int
    answered: int | None
    token: str
    worker: str | None
    result: str | None
    error: str | None


_ENDED = {
    "seq": "bigint",
    "state": "smallint",
    "attempts": "smallint",
    "lost": "smallint",
    "lease": "bigint",
    "ended_at": "bigint",
    "answered": "bigint",
    "token": "text",
    "worker": "text",
    "result": "text",
    "error": "text",
}


def queued(tx: Tx, seqs: Sequence[int]) -> dict[int, Queued]:
    """On PostgreSQL locked until the end of the transaction, in one order."""
    lock = " ORDER BY seq FOR UPDATE" if tx.dialect == "postgresql" else ""
    sql = f"SELECT {_COLUMNS} FROM job_queue WHERE seq {among(tx)}{lock}"  # noqa: S608 - of our own
    return {row[0]: Queued._make(row) for row in tx.raw(sql, (packed(tx, seqs),))}


def ends(tx: Tx, seqs: Sequence[int]) -> dict[int, tuple[str, Ended]]:
    """Ended jobs by number, with their ids."""
    names = ", ".join(f"e.{name}" for name in Ended._fields)
    sql = f"SELECT j.id, {names} FROM job_ends e JOIN jobs j ON j.seq = e.seq WHERE e.seq {among(tx)}"  # noqa: S608
    return {row[1]: (row[0], Ended._make(row[1:])) for row in tx.raw(sql, (packed(tx, seqs),))}


def renew(tx: Tx, renewals: Sequence[tuple[int, int, int]]) -> None:
    """Each: leased until, how irreversible, seq."""
    if tx.dialect == "postgresql":
        until, irreversible, seqs = zip(*renewals, strict=True)
        tx.raw(
            "UPDATE job_queue q SET leased_until = v.until, irreversible = v.irreversible"
            " FROM unnest(?::bigint[], ?::smallint[], ?::bigint[]) AS v(until, irreversible, seq) WHERE q.seq = v.seq",
            (array(until), array(irreversible), array(seqs)),
        )
        return
    tx.raw_many("UPDATE job_queue SET leased_until = ?, irreversible = ? WHERE seq = ?", renewals)


def end(tx: Tx, ended: Sequence[Ended]) -> None:
    """Out of the hot table."""
    if not ended:
        return
    tx.raw(f"DELETE FROM job_queue WHERE seq {among(tx)}", (packed(tx, [each.seq for each in ended]),))  # noqa: S608
    insert_many(tx, "job_ends", _ENDED, ended)


# A job that its worker says is done, without more: told by one text, `<token> <id>`, as the row would say it.
_MEANT = (
    f"q.place = {HELD} AND q.concurrency_key IS NULL"
    " AND v.said = q.seq || '.' || q.lease || '.' || q.token || ' ' || q.id"
)
_ENDED_WELL = (
    f"INSERT INTO job_ends ({', '.join(Ended._fields)})"
    f" SELECT seq, {END[State.SUCCEEDED]}, attempts + 1, lost, lease, ?, ?, token, worker, NULL, NULL FROM"
)
_FIND_MEANT = (
    "SELECT q.lane, count(*), json_group_array(q.seq) FROM (SELECT value AS said FROM json_each(?)) v"  # noqa: S608
    f" CROSS JOIN job_queue q ON q.seq = CAST(v.said AS INTEGER) WHERE {_MEANT} GROUP BY q.lane"
)
# First by number alone: with the place among the conditions the index of held ones might be read from its beginning.
_END_MEANT_POSTGRESQL = (
    "WITH mine AS MATERIALIZED (SELECT seq, place, lease, token, id, concurrency_key FROM job_queue"  # noqa: S608
    " WHERE seq = ANY(?) ORDER BY seq FOR UPDATE),"
    f" meant AS (SELECT FROM mine q JOIN unnest(?::text[]) v(said) ON {_MEANT}),"
    " gone AS (DELETE FROM job_queue WHERE seq = ANY(?) AND (SELECT count(*) FROM meant) = ?"
    " RETURNING seq, attempts, lost, lease, token, worker, lane),"
    f" kept AS ({_ENDED_WELL} gone) SELECT lane, count(*) FROM gone GROUP BY lane"
)


def end_meant(tx: Tx, said: Sequence[str], *, now_ms: int, answered: int) -> dict[int, int]:
    """End these jobs as succeeded, if each is held as it is said, once, and without a key: how many by lane. Else nothing is done.

    Nothing of them passes through this process but their number.
    """
    if tx.dialect == "postgresql":
        seqs = array(int(text.partition(".")[0]) for text in said)
        return dict(tx.raw(_END_MEANT_POSTGRESQL, (seqs, array(said), seqs, len(said), now_ms, answered)))
    found = tx.raw(_FIND_MEANT, (packed(tx, said),))
    if sum(count for _, count, _ in found) != len(said):
        return {}
    chosen = "job_queue WHERE seq IN (SELECT value FROM json_each(?))"
    tx.raw_many(f"{_ENDED_WELL} {chosen}", [(now_ms, answered, seqs) for _, _, seqs in found])
    tx.raw_many(f"DELETE FROM {chosen}", [(seqs,) for _, _, seqs in found])  # noqa: S608 - of our own
    return {lane: count for lane, count, _ in found}


class PutBack(NamedTuple):
    """A job that is not held any more, and has not ended."""

    place: int
    phase: int
    is_resolve: int
    lane: int
    attempts: int
    lost: int
    irreversible: int
    due_at: int
    changed_at: int
    deadline_at: int
    answered: int | None
    error: str | None
    is_cancelled: int
    seq: int


_PUT_BACK = (
    "UPDATE job_queue SET place = ?, phase = ?, is_resolve = ?, lane = ?, attempts = ?, lost = ?, irreversible = ?,"
    " due_at = ?, changed_at = ?, deadline_at = ?, answered = ?, error = ?, is_cancelled = ?, worker = NULL WHERE seq = ?"
)


def put_back(tx: Tx, rows: Sequence[PutBack]) -> None:
    tx.raw_many(_PUT_BACK, rows)


def ask_to_cancel(tx: Tx, seq: int) -> None:
    tx.raw("UPDATE job_queue SET is_cancelled = 1 WHERE seq = ?", (seq,))


_HELD = (
    "SELECT seq, leased_until, ttl_ms, deadline_at FROM job_queue"  # noqa: S608 - of our own
    f" WHERE place = {HELD} AND seq > ? ORDER BY seq LIMIT ?"
)


def held_after(tx: Tx, seq: int, *, limit: int) -> list[tuple[int, int, int, int]]:
    """seq, leased until, ttl, deadline; in order."""
    return [(row[0], row[1], row[2], row[3]) for row in tx.raw(_HELD, (seq, limit))]


def shorten(tx: Tx, rows: Sequence[tuple[int, int]]) -> None:
    """Each: leased until, seq."""
    tx.raw_many(f"UPDATE job_queue SET leased_until = ? WHERE seq = ? AND place = {HELD}", rows)  # noqa: S608 - of our own


def put_off_deadlines(tx: Tx, *, by_ms: int) -> None:
    """Of attempts that run, and of outcomes that wait to be found out."""
    sql = f"UPDATE job_queue SET deadline_at = deadline_at + ? WHERE place = {HELD} OR is_resolve = 1"  # noqa: S608
    tx.raw(sql, (by_ms,))


def unresolved(tx: Tx, *, now_ms: int, limit: int) -> list[int]:
    """Those that wait to be resolved for too long."""
    sql = (
        f"SELECT seq FROM job_queue WHERE is_resolve = 1 AND place <> {HELD} AND deadline_at <= ?"  # noqa: S608
        " ORDER BY seq LIMIT ?"
    )
    return [row[0] for row in tx.raw(sql, (now_ms, limit))]
