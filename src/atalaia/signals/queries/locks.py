"""Hot SQL: who may run. Whoever is refused has written nothing, and waits for nobody.

A lock's row is taken with SKIP LOCKED on PostgreSQL: somebody else's transaction on it is a start, a renewal, a run's own
write or its end, each of which answers the question too; and the writer of this hub must not wait for a hub that is stopped
in the middle of one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from atalaia.sdk.transaction import Tx
from atalaia.signals.model.locks import Lock


class Found(NamedTuple):
    """A signal as far as starting it goes."""

    name: str
    task: str
    options: str
    secret: bytes | None
    min_interval_ms: int
    is_paused: bool
    lock: Lock


_LOCK = "l.fence, l.started_at, l.lease_until, l.failures, l.run_id, l.source"
_LOOK = (
    f"SELECT s.name, s.task, s.options, s.secret, s.min_interval_ms, s.is_paused, {_LOCK}"  # noqa: S608 - of our own
    " FROM signals s JOIN signal_locks l ON l.name = s.name WHERE s.name IN ({})"
)
_TAKE = f"SELECT {_LOCK} FROM signal_locks l WHERE l.name = ? FOR UPDATE SKIP LOCKED"  # noqa: S608 - of our own
_HELD = f"SELECT {_LOCK} FROM signal_locks l WHERE l.name = ?"  # noqa: S608 - of our own
_START = "UPDATE signal_locks SET fence = ?, run_id = ?, source = ?, holder = ?, started_at = ?, lease_until = ? WHERE name = ?"
_END = (
    "UPDATE signal_locks SET run_id = NULL, source = NULL, holder = NULL, lease_until = 0, failures = ? WHERE name = ?"
)
_RENEW = "UPDATE signal_locks SET lease_until = ? WHERE name = ? AND fence = ? AND run_id = ? RETURNING lease_until"
_LAPSED = f"SELECT l.name, {_LOCK} FROM signal_locks l WHERE l.run_id IS NOT NULL AND l.lease_until <= ?"  # noqa: S608 - of our own
_CLAMP = "UPDATE signal_locks SET lease_until = ? WHERE lease_until > ?"
# https://www.postgresql.org/docs/current/functions-datetime.html: not the transaction's own time, which stands still
_DATABASE_MS = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"


def database_ms(tx: Tx) -> int:
    """PostgreSQL's clock: the one that all hubs share."""
    return int(tx.raw(_DATABASE_MS)[0][0])


def look(tx: Tx, names: Sequence[str]) -> dict[str, Found]:
    """As they stand; nothing is locked."""
    rows = tx.raw(_LOOK.format(", ".join("?" * len(names))), names)
    return {row[0]: Found._make((*row[:5], bool(row[5]), Lock._make(row[6:]))) for row in rows}


def take(tx: Tx, name: str) -> Lock | None:
    """Lock the row until the end of the transaction; None where somebody else has it."""
    rows = tx.raw(_TAKE if tx.dialect == "postgresql" else _HELD, (name,))
    return Lock._make(rows[0]) if rows else None


def wait_for(tx: Tx, name: str) -> Lock | None:
    """The same for a run of ours, which waits; None where there is no such signal."""
    rows = tx.raw(_HELD + (" FOR UPDATE" if tx.dialect == "postgresql" else ""), (name,))
    return Lock._make(rows[0]) if rows else None


def start(tx: Tx, name: str, lock: Lock, *, holder: str) -> None:
    tx.raw(_START, (lock.fence, lock.run_id, lock.source, holder, lock.started_ms, lock.lease_until_ms, name))


def end(tx: Tx, name: str, *, failures: int) -> None:
    """Free it; the row is locked, and the run is the one that it names."""
    tx.raw(_END, (failures, name))


def renew(tx: Tx, name: str, *, fence: int, run_id: str, until_ms: int) -> bool:
    """Whether it is still the run's: one that lapsed while nobody took it is."""
    return bool(tx.raw(_RENEW, (until_ms, name, fence, run_id)))


def lapsed(tx: Tx, *, now_ms: int) -> list[tuple[str, Lock]]:
    return [(row[0], Lock._make(row[1:])) for row in tx.raw(_LAPSED, (now_ms,))]


def clamp_leases(tx: Tx, *, until_ms: int) -> None:
    """None is in force for longer than that: where it says so, the clock was set back."""
    tx.raw(_CLAMP, (until_ms, until_ms))


def cut_short_when_stopped(tx: Tx, *, within_ms: int) -> None:
    """A hub that is stopped in the middle of this transaction must not keep the lock's row from the others."""
    if tx.dialect == "postgresql":
        tx.raw(f"SET LOCAL idle_in_transaction_session_timeout = {int(within_ms)}")


def instant_of(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
