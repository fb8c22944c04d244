"""Hot SQL: due jobs to their workers."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from atalaia.jobs.model.states import HELD, READY, SCHEDULED
from atalaia.jobs.queries.many import among, array, packed
from atalaia.sdk.transaction import Tx

_COLUMNS = (
    "q.seq, q.id, q.rank, q.due_at, q.lease, q.attempts, q.lost, q.lane, q.concurrency_key, j.payload, j.payload_sha256"
)
_READY = (
    f"SELECT {_COLUMNS} FROM job_queue q JOIN jobs j ON j.seq = q.seq"  # noqa: S608 - of our own
    f" WHERE q.lane = ? AND q.place = {READY} ORDER BY q.rank, q.due_at, q.seq LIMIT ?"
)
_READY_POSTGRESQL = _READY + " FOR UPDATE OF q SKIP LOCKED"
_READY_BEHIND = (
    f"SELECT {_COLUMNS} FROM job_queue q JOIN jobs j ON j.seq = q.seq"  # noqa: S608 - of our own
    f" WHERE q.lane = ? AND q.place = {READY} AND q.rank = ? AND (q.due_at, q.seq) > (?, ?)"
    " ORDER BY q.due_at, q.seq LIMIT ? FOR UPDATE OF q SKIP LOCKED"
)
_HOLD = (
    f"UPDATE job_queue SET place = {HELD}, lease = lease + 1, token = ?, worker = ?, ttl_ms = ?, changed_at = ?,"  # noqa: S608
    " leased_until = ?, deadline_at = ?, request = ?, answered = NULL"
)
_HELD_FOR = (
    f"SELECT {_COLUMNS}, q.token, q.ttl_ms, q.deadline_at, q.changed_at FROM job_queue q JOIN jobs j ON j.seq = q.seq"  # noqa: S608
    f" WHERE q.place = {HELD} AND q.request = ? AND q.worker = ? ORDER BY q.rank, q.due_at, q.seq"
)
_PROMOTE = (
    f"UPDATE job_queue SET place = {READY} WHERE seq IN (SELECT seq FROM job_queue"  # noqa: S608 - of our own
    f" WHERE place = {SCHEDULED} AND due_at <= ? ORDER BY due_at LIMIT ?"
)


class Candidate(NamedTuple):
    seq: int
    id: str
    rank: int
    due_at: int
    lease: int  # the last one's number
    attempts: int
    lost: int
    lane: int
    concurrency_key: str | None
    payload: str
    payload_sha256: str


# Of a row as the driver gives it: half of what `_make` takes.
_candidate = partial(tuple.__new__, Candidate)


class Hold(NamedTuple):
    """Jobs that one request gets on the same terms."""

    seqs: list[int]
    secret: str
    worker: str
    ttl_ms: int
    now_ms: int
    until_ms: int
    deadline_ms: int
    request: int | None


def ready(tx: Tx, lane: int, *, limit: int) -> list[Candidate]:
    """The first that are due; on PostgreSQL locked, and without those that another hub is taking."""
    sql = _READY_POSTGRESQL if tx.dialect == "postgresql" else _READY
    return list(map(_candidate, tx.raw(sql, (lane, limit))))


def ready_behind(tx: Tx, lane: int, start: tuple[int, int, int], *, limit: int) -> list[Candidate]:
    """The same for PostgreSQL alone, of one rank and behind (rank, due, seq): what was passed is not read again."""
    return list(map(_candidate, tx.raw(_READY_BEHIND, (lane, *start, limit))))


def hold(tx: Tx, holds: Sequence[Hold]) -> None:
    if tx.dialect == "postgresql":
        _hold_in_one(tx, holds)
        return
    ones = [(*each[1:], each.seqs[0]) for each in holds if len(each.seqs) == 1]
    many = [(*each[1:], packed(tx, each.seqs)) for each in holds if len(each.seqs) > 1]
    tx.raw_many(f"{_HOLD} WHERE seq = ?", ones)
    tx.raw_many(f"{_HOLD} WHERE seq {among(tx)}", many)


_HOLD_POSTGRESQL = (
    f"UPDATE job_queue q SET place = {HELD}, lease = q.lease + 1, token = h.token, worker = h.worker, ttl_ms = h.ttl_ms,"  # noqa: S608
    " changed_at = h.now_at, leased_until = h.until, deadline_at = h.deadline, request = h.request, answered = NULL"
    " FROM unnest(?::bigint[], ?::int[]) v(seq, n) JOIN unnest(?::text[], ?::text[], ?::int[], ?::bigint[], ?::bigint[],"
    " ?::bigint[], ?::bigint[]) WITH ORDINALITY h(token, worker, ttl_ms, now_at, until, deadline, request, n) ON h.n = v.n"
    " WHERE q.seq = v.seq AND q.seq = ANY(?)"
)


def _hold_in_one(tx: Tx, holds: Sequence[Hold]) -> None:
    seqs = array(seq for each in holds for seq in each.seqs)
    numbers = array(n for n, each in enumerate(holds, 1) for _ in each.seqs)
    terms = map(array, zip(*(each[1:] for each in holds), strict=True))
    tx.raw(_HOLD_POSTGRESQL, (seqs, numbers, *terms, seqs))


class HeldRow(NamedTuple):
    candidate: Candidate
    token: str
    ttl_ms: int
    deadline_ms: int
    leased_ms: int


def held_for(tx: Tx, *, request: int, worker: str) -> list[HeldRow]:
    """What a request has got already and still has."""
    return [HeldRow(Candidate._make(row[:-4]), *row[-4:]) for row in tx.raw(_HELD_FOR, (request, worker))]


class Promoted(NamedTuple):
    lane: int
    rank: int
    due_at: int
    seq: int


def promote(tx: Tx, *, now_ms: int, limit: int) -> list[Promoted]:
    """Jobs whose time has come become ready."""
    lock = " FOR UPDATE SKIP LOCKED" if tx.dialect == "postgresql" else ""
    rows = tx.raw(f"{_PROMOTE}{lock}) RETURNING lane, rank, due_at, seq", (now_ms, limit))
    return [Promoted._make(row) for row in rows]


def next_due_ms(tx: Tx) -> int | None:
    ((first,),) = tx.raw(f"SELECT min(due_at) FROM job_queue WHERE place = {SCHEDULED}")  # noqa: S608 - of our own
    return None if first is None else int(first)


def leased_by_lane(tx: Tx, lanes: Sequence[int]) -> dict[int, int]:
    sql = f"SELECT lane, count(*) FROM job_queue WHERE place = {HELD} AND lane {among(tx)} GROUP BY lane"  # noqa: S608
    return dict(tx.raw(sql, (packed(tx, lanes),)))
