"""Limits of queues and types."""

from collections.abc import Sequence
from typing import NamedTuple

from atalaia.sdk.transaction import Tx

_COLUMNS = "scope, name, max_leased, rate, period_s, window_at, used"


class LimitRow(NamedTuple):
    scope: str
    name: str
    max_leased: int | None
    rate: int | None
    period_s: int
    window_ms: int
    used: int


def all_of_them(tx: Tx) -> list[LimitRow]:
    return [LimitRow._make(row) for row in tx.raw(f"SELECT {_COLUMNS} FROM job_limits ORDER BY scope, name")]  # noqa: S608


def locked(tx: Tx) -> list[LimitRow]:
    lock = " FOR UPDATE" if tx.dialect == "postgresql" else ""
    sql = f"SELECT {_COLUMNS} FROM job_limits ORDER BY scope, name{lock}"  # noqa: S608 - of our own
    return [LimitRow._make(row) for row in tx.raw(sql)]


def keep_use(tx: Tx, rows: Sequence[tuple[int, int, str, str]]) -> None:
    """Each: window, used, scope, name."""
    tx.raw_many("UPDATE job_limits SET window_at = ?, used = ? WHERE scope = ? AND name = ?", rows)


def put(tx: Tx, row: LimitRow) -> None:
    tx.raw(
        f"INSERT INTO job_limits ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - of our own
        " ON CONFLICT (scope, name) DO UPDATE SET max_leased = excluded.max_leased, rate = excluded.rate,"
        " period_s = excluded.period_s, window_at = 0, used = 0",
        row,
    )


def drop(tx: Tx, scope: str, name: str) -> bool:
    return bool(tx.raw("DELETE FROM job_limits WHERE scope = ? AND name = ? RETURNING name", (scope, name)))
