"""The hot statements: how checks stand, read and written many at a time."""

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from atalaia.sdk.transaction import Tx
from atalaia.watch.model.standing import Policy, Standing, deadline_ms, later_ms
from atalaia.watch.model.states import CheckState

# Parameters of one statement: each number of them is a statement that has to be prepared, so there are few.
_SIZES = (1, 4, 16, 64, 250)
CHUNK = 250
_decoder = msgspec.json.Decoder(Standing)
_encode = msgspec.json.Encoder().encode


class StateRow(msgspec.Struct):
    """A check's row while a batch is decided; instants are milliseconds, as they are kept."""

    check_id: str
    revision: int
    standing: Standing
    last_at_ms: int | None
    last_ms: float | None
    last_error: str | None
    results: int
    deadline_ms: int | None
    is_changed: bool = False

    def note_beats(self, standing: Standing, policy: Policy, beats_ms: Sequence[int]) -> None:
        """Pings of a heartbeat, and how it stands after the last of them."""
        self.standing = standing
        self.results += len(beats_ms)
        self.last_at_ms = later_ms(self.last_at_ms, max(beats_ms))
        self.last_ms = standing.took_ms
        self.deadline_ms = deadline_ms(standing, policy)
        self.is_changed = True


def lock(tx: Tx, check_ids: Iterable[str]) -> dict[str, StateRow]:
    """The rows of these checks, in one order for everybody, held until the transaction ends; unknown ones are left out."""
    ids = sorted(set(check_ids))
    rows: dict[str, StateRow] = {}
    for start in range(0, len(ids), CHUNK):
        part = ids[start : start + CHUNK]
        marks = next(size for size in _SIZES if size >= len(part))
        for row in tx.raw(_lock_sql(tx, marks), part + part[-1:] * (marks - len(part))):
            rows[row[0]] = StateRow(row[0], row[1], _decoder.decode(row[2]), *row[3:])
    return rows


def _lock_sql(tx: Tx, count: int) -> str:
    marks = ",".join("?" * count)
    sql = (
        "SELECT s.check_id, c.revision, s.standing, s.last_at, s.last_ms, s.last_error, s.results, s.deadline_at"  # noqa: S608 - marks only
        f" FROM check_states s JOIN checks c ON c.id = s.check_id WHERE s.check_id IN ({marks}) ORDER BY s.check_id"
    )
    return sql + " FOR UPDATE OF s" if tx.dialect == "postgresql" else sql


def write(tx: Tx, rows: Iterable[StateRow]) -> None:
    """Those that changed, and only those."""
    values = [
        (
            str(row.standing.state),
            row.standing.since_ms,
            _encode(row.standing).decode(),
            row.last_at_ms,
            row.last_ms,
            row.last_error,
            row.results,
            row.deadline_ms,
            row.check_id,
        )
        for row in rows
        if row.is_changed
    ]
    tx.raw_many(
        "UPDATE check_states SET state = ?, since_at = ?, standing = ?, last_at = ?, last_ms = ?, last_error = ?,"
        " results = ?, deadline_at = ? WHERE check_id = ?",
        values,
    )


def add(tx: Tx, check_id: str, standing: Standing) -> None:
    """Of a new check, with the first span of its history."""
    tx.raw(
        "INSERT INTO check_states (check_id, state, since_at, standing, results) VALUES (?, ?, ?, ?, 0)",
        (check_id, str(standing.state), standing.since_ms, _encode(standing).decode()),
    )
    tx.raw(
        "INSERT INTO check_spans (check_id, started_at, state) VALUES (?, ?, ?)",
        (check_id, standing.since_ms, str(standing.state)),
    )


def due(tx: Tx, now_ms: int) -> list[str]:
    """Heartbeats whose deadline has come."""
    return [row[0] for row in tx.raw("SELECT check_id FROM check_states WHERE deadline_at <= ?", (now_ms,))]


def ahead(tx: Tx, after_ms: int) -> list[str]:
    """Heartbeats that were heard of later than that and are awaited."""
    rows = tx.raw("SELECT check_id FROM check_states WHERE deadline_at IS NOT NULL AND last_at > ?", (after_ms,))
    return [row[0] for row in rows]


def next_deadline_ms(tx: Tx) -> int | None:
    value: int | None = tx.raw("SELECT MIN(deadline_at) FROM check_states")[0][0]
    return value


def counts(tx: Tx) -> dict[CheckState, int]:
    rows = tx.raw("SELECT state, COUNT(*) FROM check_states GROUP BY state")
    return {CheckState(state): count for state, count in rows}


def write_spans(tx: Tx, changes: Sequence[tuple[str, int, CheckState]]) -> None:
    """(check, instant in ms, new state), in order. A span that would last no millisecond is replaced."""
    # All first changes together, then all second ones: of one check they must stay in their order.
    turns: list[list[tuple[str, int, CheckState]]] = []
    seen: Counter[str] = Counter()
    for change in changes:
        turn = seen[change[0]]
        seen[change[0]] += 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(change)
    for turn_changes in turns:
        tx.raw_many(
            "UPDATE check_spans SET ended_at = ? WHERE check_id = ? AND ended_at IS NULL AND started_at < ?",
            [(at_ms, check_id, at_ms) for check_id, at_ms, _ in turn_changes],
        )
        tx.raw_many(
            "INSERT INTO check_spans (check_id, started_at, state) VALUES (?, ?, ?)"
            " ON CONFLICT (check_id, started_at) DO UPDATE SET state = excluded.state, ended_at = NULL",
            [(check_id, at_ms, str(state)) for check_id, at_ms, state in turn_changes],
        )
