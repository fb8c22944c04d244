"""Jobs that share a concurrency key: one of them may be leased, the next in order stands in front, the others behind it.

In front is what is to be resolved, else of those that are due the first by priority and age, else what is due first.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from atalaia.jobs.model.states import BEHIND, HELD, READY, SCHEDULED
from atalaia.jobs.queries.creating import lock_keys
from atalaia.sdk.transaction import Tx

_HELD = f"SELECT 1 FROM job_queue WHERE concurrency_key = ? AND place = {HELD} LIMIT 1"  # noqa: S608 - of our own
_FRONT = (
    "SELECT seq, rank, due_at, is_resolve FROM job_queue"  # noqa: S608 - of our own
    f" WHERE concurrency_key = ? AND place IN ({SCHEDULED}, {READY}) LIMIT 1"
)
_NEXT_DUE = (
    "SELECT seq, rank, due_at, is_resolve, lane FROM job_queue"  # noqa: S608 - of our own
    f" WHERE concurrency_key = ? AND place = {BEHIND} AND due_at <= ? ORDER BY rank, due_at, seq LIMIT 1"
)
_NEXT = (
    "SELECT seq, rank, due_at, is_resolve, lane FROM job_queue"  # noqa: S608 - of our own
    f" WHERE concurrency_key = ? AND place = {BEHIND} ORDER BY due_at, rank, seq LIMIT 1"
)
_STEP_BACK = f"UPDATE job_queue SET place = {BEHIND} WHERE seq = ? AND place IN ({SCHEDULED}, {READY}) RETURNING seq"  # noqa: S608
_STEP_UP = f"UPDATE job_queue SET place = ? WHERE seq = ? AND place = {BEHIND}"  # noqa: S608 - of our own


class Front(NamedTuple):
    lane: int
    rank: int
    due_at: int
    seq: int


def settle(tx: Tx, keys: Iterable[str], *, now_ms: int) -> list[Front]:
    """Put the right job in front for each key; those that came there."""
    wanted = sorted(set(keys))
    lock_keys(tx, [f"front:{key}" for key in wanted])
    moved = (_settle(tx, key, now_ms) for key in wanted)
    return [move for move in moved if move is not None]


def _settle(tx: Tx, key: str, now_ms: int) -> Front | None:
    if tx.raw(_HELD, (key,)):
        return None
    following = tx.raw(_NEXT_DUE, (key, now_ms)) or tx.raw(_NEXT, (key,))
    if not following:
        return None
    seq, rank, due_ms, _, lane = following[0]
    # Where another hub leases the one in front just now, that has the key, and nobody else comes there.
    front = tx.raw(_FRONT, (key,))
    if front and not (_goes_first(following[0], front[0], now_ms) and tx.raw(_STEP_BACK, (front[0][0],))):
        return None
    tx.raw(_STEP_UP, (READY if due_ms <= now_ms else SCHEDULED, seq))
    return Front(lane, rank, due_ms, seq)


def _goes_first(one: tuple[Any, ...], other: tuple[Any, ...], now_ms: int) -> bool:
    return _order(one, now_ms) < _order(other, now_ms)


def _order(row: tuple[Any, ...], now_ms: int) -> tuple[Any, ...]:
    seq, rank, due_ms, is_resolve, *_ = row
    if due_ms <= now_ms:
        return not is_resolve, 0, rank, due_ms, seq
    return not is_resolve, 1, due_ms, rank, seq
