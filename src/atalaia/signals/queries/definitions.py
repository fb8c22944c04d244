"""What signals there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from atalaia.sdk.transaction import Tx
from atalaia.signals.model.signals import SignalRow
from atalaia.signals.tables import (
    signal_hours,
    signal_locks,
    signal_minutes,
    signal_runs,
    signals,
)

_COLUMNS = [signals.c[name] for name in SignalRow._fields]


def all_of_them(tx: Tx) -> list[SignalRow]:
    """By name."""
    return [SignalRow._make(row) for row in tx.rows(select(*_COLUMNS).order_by(signals.c.name))]


def find(tx: Tx, name: str, *, is_locked: bool = False) -> SignalRow | None:
    question = select(*_COLUMNS).where(signals.c.name == name)
    row = tx.one(question.with_for_update() if is_locked else question)
    return None if row is None else SignalRow._make(row)


def names_like(tx: Tx, text: str, *, limit: int) -> list[tuple[str, str]]:
    """Name and task of those whose name holds `text`."""
    question = select(signals.c.name, signals.c.task).where(signals.c.name.icontains(text, autoescape=True))
    return [(row.name, row.task) for row in tx.rows(question.order_by(signals.c.name).limit(limit))]


def put(tx: Tx, row: SignalRow) -> None:
    """Its lock stays as it is where there has been one of the name."""
    names = [name for name in SignalRow._fields if name not in {"name", "created_at"}]
    tx.upsert(signals, [row._asdict()], key=["name"], update=names)
    free: dict[str, Any] = {"name": row.name, "fence": 0, "started_at": 0, "lease_until": 0, "failures": 0}
    tx.upsert(signal_locks, [free], key=["name"])


def drop(tx: Tx, name: str) -> None:
    """Its run is broken off; what is kept of it goes later, and its number stays. Failures stay until they are told to be over."""
    tx.execute(signals.delete().where(signals.c.name == name))
    freed: dict[str, Any] = {"run_id": None, "source": None, "holder": None, "lease_until": 0}
    tx.execute(signal_locks.update().where(signal_locks.c.name == name).values(**freed))


def failing_locks(tx: Tx) -> list[str]:
    return [row.name for row in tx.rows(select(signal_locks.c.name).where(signal_locks.c.failures > 0))]


def forget_failures(tx: Tx, name: str) -> None:
    tx.execute(signal_locks.update().where(signal_locks.c.name == name).values(failures=0))


def drop_orphans(tx: Tx, *, limit: int) -> int:
    """What was kept of signals that are no more; up to `limit` runs, which are the most."""
    names = select(signals.c.name)
    orphans = select(signal_runs.c.id).where(signal_runs.c.signal.not_in(names)).limit(limit)
    gone = tx.execute(signal_runs.delete().where(signal_runs.c.id.in_(orphans)))
    for table in (signal_hours, signal_minutes):
        tx.execute(table.delete().where(table.c.signal.not_in(names)))
    return gone


# -- schedules


def due(tx: Tx, now: datetime) -> Sequence[str]:
    return [row.name for row in tx.rows(select(signals.c.name).where(_is_due(now)).order_by(signals.c.next_at))]


def take_due(tx: Tx, name: str, now: datetime) -> SignalRow | None:
    """Locked, where it is still due: of two hubs that both think they lead, one runs the slot."""
    row = tx.one(select(*_COLUMNS).where((signals.c.name == name) & _is_due(now)).with_for_update(skip_locked=True))
    return None if row is None else SignalRow._make(row)


def slot_passed(tx: Tx, name: str, *, ran_at: datetime | None, next_at: datetime) -> None:
    """`ran_at`: the slot, where a run began at it."""
    changed: dict[str, Any] = {"next_at": next_at} | ({"last_slot_at": ran_at} if ran_at is not None else {})
    tx.execute(signals.update().where(signals.c.name == name).values(**changed))


def _is_due(now: datetime) -> Any:
    return signals.c.next_at.is_not(None) & (signals.c.next_at <= now) & ~signals.c.is_paused
