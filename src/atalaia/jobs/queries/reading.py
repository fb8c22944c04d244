"""Jobs as they are looked at, whether they wait, are held or have ended."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from atalaia.jobs.model.states import BEHIND, END, HELD, State, Status
from atalaia.jobs.model.views import Part
from atalaia.jobs.queries.many import among, packed
from atalaia.sdk.transaction import Tx

_BOTH = (
    "j.seq, j.id, j.lane, j.priority, j.created_at, j.run_at, j.created_by, j.unique_key, j.concurrency_key,"
    " COALESCE(q.max_attempts, j.max_attempts), q.place, q.phase, q.is_resolve, q.attempts, q.lost, q.lease, q.due_at,"
    " q.changed_at, q.leased_until, q.ttl_ms, q.is_cancelled, q.worker, q.error,"
    " e.state, e.attempts, e.lost, e.ended_at, e.worker, e.error"
)


class JobRow(NamedTuple):
    """What begins with `e_` is of a job that has ended, what begins with `q_` of one that has not; else None."""

    seq: int
    id: str
    lane: int
    priority: int
    created_at: int
    run_at: int | None
    created_by: str
    unique_key: str | None
    concurrency_key: str | None
    max_attempts: int
    q_place: int | None
    q_phase: int | None
    q_is_resolve: int | None
    q_attempts: int | None
    q_lost: int | None
    q_lease: int | None
    q_due_at: int | None
    q_changed_at: int | None
    q_leased_until: int | None
    q_ttl_ms: int | None
    q_is_cancelled: int | None
    q_worker: str | None
    q_error: str | None
    e_state: int | None
    e_attempts: int | None
    e_lost: int | None
    e_ended_at: int | None
    e_worker: str | None
    e_error: str | None


class Whole(NamedTuple):
    row: JobRow
    payload: str
    result: str | None


_WHOLE = (
    f"SELECT {_BOTH}, j.payload, e.result FROM jobs j LEFT JOIN job_queue q ON q.seq = j.seq"  # noqa: S608 - of our own
    " LEFT JOIN job_ends e ON e.seq = j.seq WHERE j.id = ?"
)


def whole(tx: Tx, id: str) -> Whole | None:
    rows = tx.raw(_WHOLE, (id,))
    return Whole(JobRow._make(rows[0][:-2]), *rows[0][-2:]) if rows else None


def seq_of(tx: Tx, id: str) -> int | None:
    if not id.isprintable():  # PostgreSQL takes no NUL
        return None
    rows = tx.raw("SELECT seq FROM jobs WHERE id = ?", (id,))
    return rows[0][0] if rows else None


def ids_of(tx: Tx, seqs: Sequence[int]) -> dict[int, str]:
    sql = f"SELECT seq, id FROM jobs WHERE seq {among(tx)}"  # noqa: S608 - of our own
    return dict(tx.raw(sql, (packed(tx, seqs),)))


class Wish(NamedTuple):
    """`lanes` None: any; times in ms; `before` is the last number of the page before."""

    status: Status | State | Part | None = None
    lanes: Sequence[int] | None = None
    created_from: int | None = None
    created_until: int | None = None
    text: str | None = None
    before: int | None = None


# What drives the search: the small table where one is enough.
_FROM_QUEUE = "job_queue q JOIN jobs j ON j.seq = q.seq LEFT JOIN job_ends e ON e.seq = j.seq"
_FROM_ENDS = "job_ends e JOIN jobs j ON j.seq = e.seq LEFT JOIN job_queue q ON q.seq = j.seq"
_FROM_ALL = "jobs j LEFT JOIN job_queue q ON q.seq = j.seq LEFT JOIN job_ends e ON e.seq = j.seq"
_ERRORS = ", ".join(str(END[state]) for state in (State.FAILED, State.DEAD, State.UNKNOWN))
_SUCCEEDED, _CANCELLED = END[State.SUCCEEDED], END[State.CANCELLED]
_FOR_PEOPLE = f"{END[State.UNKNOWN]}, {END[State.DEAD]}"


def _ended(states: str) -> tuple[str, str, str]:
    """The second condition is that of the index."""
    return _FROM_ENDS, "e.seq", f"e.state IN ({states}) AND e.state <> {_SUCCEEDED}"


_BY_STATUS: dict[Status | State | Part | None, tuple[str, str, str]] = {
    None: (_FROM_ALL, "j.seq", ""),
    Status.PENDING: (_FROM_QUEUE, "q.seq", f"q.place <> {HELD} AND q.is_resolve = 0"),
    Status.PROCESSING: (_FROM_QUEUE, "q.seq", f"(q.place = {HELD} OR q.is_resolve = 1)"),
    Status.COMPLETED: (_FROM_ENDS, "e.seq", f"e.state = {_SUCCEEDED}"),
    Status.ERROR: _ended(_ERRORS),
    Status.CANCELLED: _ended(str(_CANCELLED)),
    State.UNKNOWN: _ended(str(END[State.UNKNOWN])),
    State.DEAD: _ended(str(END[State.DEAD])),
    State.FAILED: _ended(str(END[State.FAILED])),
    State.RESOLVING: (_FROM_QUEUE, "q.seq", "q.is_resolve = 1"),
    Part.FOR_PEOPLE: _ended(_FOR_PEOPLE),
    Part.OTHERS: (_FROM_ALL, "j.seq", f"(e.state IS NULL OR e.state NOT IN ({_FOR_PEOPLE}))"),
}


def page(tx: Tx, wish: Wish, *, limit: int) -> list[JobRow]:
    """Newest first."""
    source, number, condition = _BY_STATUS[wish.status]
    conditions: list[str] = [condition] if condition else []
    params: list[Any] = []
    if wish.before is not None:
        conditions.append(f"{number} < ?")
        params.append(wish.before)
    if wish.lanes is not None:
        conditions.append(f"j.lane {among(tx)}")
        params.append(packed(tx, wish.lanes))
    for value, comparison in ((wish.created_from, ">="), (wish.created_until, "<")):
        if value is not None:
            conditions.append(f"j.created_at {comparison} ?")
            params.append(value)
    if wish.text:
        parts = ("j.id", "j.unique_key", "j.concurrency_key", "j.created_by", "j.payload")
        conditions.append("(" + " OR ".join(f"lower({part}) LIKE ? ESCAPE '!'" for part in parts) + ")")
        params += [_pattern(wish.text)] * len(parts)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"SELECT {_BOTH} FROM {source}{where} ORDER BY {number} DESC LIMIT ?"  # noqa: S608 - values are parameters
    return [JobRow._make(row) for row in tx.raw(sql, (*params, limit))]


def _pattern(text: str) -> str:
    escaped = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    return f"%{escaped}%"


class QueueCount(NamedTuple):
    lane: int
    place: int
    is_resolve: int
    jobs: int
    oldest_due_ms: int


def counts(tx: Tx) -> list[QueueCount]:
    sql = "SELECT lane, place, is_resolve, count(*), min(due_at) FROM job_queue GROUP BY lane, place, is_resolve"
    return [QueueCount._make(row) for row in tx.raw(sql)]


def tally_ended(tx: Tx, *, most: int) -> dict[int, int]:
    """How many have ended in each state, counted up to `most` each."""
    found = {}
    for state in END.values():
        also = "" if state == _SUCCEEDED else f" AND state <> {_SUCCEEDED}"
        sql = f"SELECT count(*) FROM (SELECT 1 FROM job_ends WHERE state = {state}{also} LIMIT ?) AS found"  # noqa: S608 - numbers
        found[state] = int(tx.raw(sql, (most,))[0][0])
    return found


def tally_unfinished(tx: Tx, *, most: int) -> list[tuple[int, int, int, int]]:
    """(place, phase, is_resolve, how many), of up to `most` jobs in all."""
    sql = (
        "SELECT place, phase, is_resolve, count(*) FROM (SELECT place, phase, is_resolve FROM job_queue LIMIT ?) AS found"
        " GROUP BY place, phase, is_resolve"
    )
    return [(place, phase, is_resolve, count) for place, phase, is_resolve, count in tx.raw(sql, (most,))]


def front_of(tx: Tx, concurrency_key: str) -> str | None:
    """The job that goes first of those with one key."""
    sql = f"SELECT id FROM job_queue WHERE concurrency_key = ? AND place <> {BEHIND} LIMIT 1"  # noqa: S608 - of our own
    rows = tx.raw(sql, (concurrency_key,))
    return rows[0][0] if rows else None


def resolve_by_ms(tx: Tx, seq: int) -> int | None:
    rows = tx.raw("SELECT deadline_at FROM job_queue WHERE seq = ? AND is_resolve = 1", (seq,))
    return rows[0][0] if rows else None


def running_by_worker(tx: Tx) -> dict[str, int]:
    sql = f"SELECT worker, count(*) FROM job_queue WHERE place = {HELD} GROUP BY worker"  # noqa: S608 - of our own
    return {worker: count for worker, count in tx.raw(sql) if worker is not None}
