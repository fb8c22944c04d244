"""Runs that ended: the kept ones, and how many there were."""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from atalaia.sdk.transaction import Tx
from atalaia.signals.model.runs import HourRow, Run
from atalaia.signals.tables import signal_hours as hours
from atalaia.signals.tables import signal_runs as runs

HOUR_MS = 3_600_000
_NAMES = ("id", "signal", "fence", "source", "started_at", "ended_at", "took_ms", "outcome", "summary", "params")
_COLUMNS = [runs.c[name] for name in (*_NAMES, "error", "output")]
_COUNT = (
    "INSERT INTO signal_hours (signal, hour, outcome, runs, total_ms, slowest_ms) VALUES (?, ?, ?, 1, ?, ?)"
    " ON CONFLICT (signal, hour, outcome) DO UPDATE SET runs = signal_hours.runs + 1,"
    " total_ms = signal_hours.total_ms + excluded.total_ms,"
    " slowest_ms = CASE WHEN excluded.slowest_ms > signal_hours.slowest_ms THEN excluded.slowest_ms"
    " ELSE signal_hours.slowest_ms END"
)


def keep(tx: Tx, run: Run) -> None:
    tx.insert(runs, [{column.name: getattr(run, column.name) for column in _COLUMNS}])


def count(tx: Tx, signal: str, outcome: str, *, ended_ms: int, took_ms: int) -> None:
    tx.raw(_COUNT, (signal, ended_ms // HOUR_MS, outcome, took_ms, took_ms))


def page(tx: Tx, signal: str, *, limit: int, before: str | None = None, outcome: str | None = None) -> list[Run]:
    """Newest first."""
    condition: Any = runs.c.signal == signal
    if before is not None:
        condition &= runs.c.id < before
    if outcome is not None:
        condition &= runs.c.outcome == outcome
    return [_run(row) for row in tx.rows(select(*_COLUMNS).where(condition).order_by(runs.c.id.desc()).limit(limit))]


def find(tx: Tx, id: str) -> Run | None:
    row = tx.one(select(*_COLUMNS).where(runs.c.id == id))
    return None if row is None else _run(row)


def by_hour(tx: Tx, signal: str, *, since_ms: int) -> list[HourRow]:
    """Oldest first."""
    columns = [hours.c[name] for name in HourRow._fields]
    condition = (hours.c.signal == signal) & (hours.c.hour >= since_ms // HOUR_MS)
    return [HourRow._make(row) for row in tx.rows(select(*columns).where(condition).order_by(hours.c.hour))]


def drop_old(tx: Tx, *, before: datetime, limit: int) -> int:
    """Up to `limit` kept runs; how many are gone."""
    old = select(runs.c.id).where(runs.c.ended_at < before).limit(limit)
    return tx.execute(runs.delete().where(runs.c.id.in_(old)))


def drop_old_hours(tx: Tx, *, before_ms: int) -> None:
    tx.execute(hours.delete().where(hours.c.hour < before_ms // HOUR_MS))


def _run(row: Any) -> Run:
    return Run(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented way to a mapping
