"""How signals were answered, who was refused, and how each stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import func, select

from atalaia.sdk.transaction import Tx
from atalaia.signals.model.answers import Answer
from atalaia.signals.model.rate import MINUTE_MS, Level, Minute
from atalaia.signals.tables import signal_levels as levels
from atalaia.signals.tables import signal_minutes as minutes
from atalaia.signals.tables import signal_refusals as refusals
from atalaia.signals.tables import signals

ANSWERS = tuple(str(answer) for answer in Answer)
_MINUTE = [minutes.c[name] for name in ("minute", *ANSWERS)]
_ADDED = ", ".join(f"{name} = signal_minutes.{name} + excluded.{name}" for name in ANSWERS)
_ADD = (
    f"INSERT INTO signal_minutes (signal, minute, {', '.join(ANSWERS)}, last_status, last_at)"  # noqa: S608 - of our own
    f" VALUES (?, ?, {', '.join('?' * len(ANSWERS))}, ?, ?) ON CONFLICT (signal, minute) DO UPDATE SET {_ADDED},"
    " last_status = excluded.last_status, last_at = excluded.last_at"
)
_REFUSE = (
    "INSERT INTO signal_refusals (signal, place, times, first_at, last_at, is_told) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (signal, place) DO UPDATE SET times = signal_refusals.times + excluded.times, last_at = excluded.last_at"
)


class Refusal(NamedTuple):
    signal: str
    place: str
    times: int
    first_at: int
    last_at: int
    is_told: bool


def names(tx: Tx) -> set[str]:
    return {row.name for row in tx.rows(select(signals.c.name))}


def add(tx: Tx, rows: Sequence[tuple[Any, ...]]) -> None:
    """Signal, minute, how many of each answer, status and instant of the last one. In one order on every hub."""
    tx.raw_many(_ADD, sorted(rows))


def since(tx: Tx, signal: str, *, since_ms: int) -> list[Minute]:
    """Oldest first; minutes without a signal are left out."""
    condition = (minutes.c.signal == signal) & (minutes.c.minute >= since_ms // MINUTE_MS)
    return [Minute(**row._mapping) for row in tx.rows(select(*_MINUTE).where(condition).order_by(minutes.c.minute))]  # noqa: SLF001 - SQLAlchemy's documented way to a mapping


def first_minute(tx: Tx, signal: str) -> int | None:
    found: int | None = tx.value(select(func.min(minutes.c.minute)).where(minutes.c.signal == signal))
    return found


def last_answer(tx: Tx, signal: str) -> tuple[int, int] | None:
    """Status and instant (ms)."""
    question = select(minutes.c.last_status, minutes.c.last_at).where(minutes.c.signal == signal)
    row = tx.one(question.order_by(minutes.c.minute.desc()).limit(1))
    return None if row is None else (row.last_status, row.last_at)


def drop_old(tx: Tx, *, before_ms: int) -> None:
    tx.execute(minutes.delete().where(minutes.c.minute < before_ms // MINUTE_MS))


# -- refusals


def refuse(tx: Tx, rows: Sequence[tuple[str, str, int, int]]) -> None:
    """Signal, place, how often, when the last time."""
    tx.raw_many(_REFUSE, [(signal, place, times, at, at, False) for signal, place, times, at in sorted(rows)])


def count_refusals(tx: Tx) -> int:
    return int(tx.value(select(func.count()).select_from(refusals)))


def refused(tx: Tx) -> list[Refusal]:
    return [Refusal._make(row) for row in tx.rows(select(*(refusals.c[name] for name in Refusal._fields)))]


def told(tx: Tx, refusal: Refusal) -> None:
    tx.execute(refusals.update().where(_is(refusal)).values(is_told=True))


def forget(tx: Tx, refusal: Refusal) -> None:
    tx.execute(refusals.delete().where(_is(refusal)))


def _is(refusal: Refusal) -> Any:
    return (refusals.c.signal == refusal.signal) & (refusals.c.place == refusal.place)


# -- levels


def levels_of_all(tx: Tx) -> dict[str, Level]:
    return {row.signal: Level(row.level) for row in tx.rows(select(levels.c.signal, levels.c.level))}


def put_level(tx: Tx, signal: str, level: Level, *, at: datetime) -> None:
    row = {"signal": signal, "level": str(level), "since_at": at}
    tx.upsert(levels, [row], key=["signal"], update=["level", "since_at"])


def drop_level(tx: Tx, signal: str) -> None:
    tx.execute(levels.delete().where(levels.c.signal == signal))
