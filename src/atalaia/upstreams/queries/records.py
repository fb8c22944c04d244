"""SQL on calls and failures."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import BigInteger, and_, delete, func, literal, select, type_coerce
from sqlalchemy.engine import Row

from atalaia.core.clock import to_ms
from atalaia.sdk.transaction import Tx
from atalaia.upstreams.model.records import Failure, Minute
from atalaia.upstreams.tables import BUCKETS
from atalaia.upstreams.tables import upstream_failures as failures
from atalaia.upstreams.tables import upstream_minutes as minutes

_KEY = ("upstream", "minute_at", "account", "operation", "outcome")
_SUMMED = ("calls", "total_ms", *BUCKETS)
_COLUMNS = (*_KEY, "max_ms", *_SUMMED)
# One statement on both engines, and atomic: other hubs count in the same rows.
_ADD = (
    f"INSERT INTO upstream_minutes ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608 - our own names
    f"ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET "
    + ", ".join(f"{name} = upstream_minutes.{name} + excluded.{name}" for name in _SUMMED)
    + ", max_ms = CASE WHEN excluded.max_ms > upstream_minutes.max_ms "
    "THEN excluded.max_ms ELSE upstream_minutes.max_ms END"
)


def add_minutes(tx: Tx, added: Iterable[Minute]) -> None:
    """In one order, so that two hubs can't wait for each other."""
    rows = [
        (*each.key[:1], to_ms(each.minute_at), *each.key[1:4], each.max_ms, each.calls, each.total_ms, *each.buckets)
        for each in sorted(added, key=lambda each: each.key)
    ]
    tx.raw_many(_ADD, rows)


def _merged() -> list[Any]:
    summed = [func.sum(minutes.c[name]).label(name) for name in _SUMMED]
    return [func.min(minutes.c.minute_at).label("minute_at"), func.max(minutes.c.max_ms).label("max_ms"), *summed]


def _minute(row: Row[Any]) -> Minute:
    values = row._asdict()
    buckets = [int(values.pop(name)) for name in BUCKETS]
    return Minute(**{**values, "calls": int(values["calls"]), "buckets": buckets})


def steps_between(tx: Tx, upstream: str, *, start: datetime, end: datetime, step_s: float) -> list[Minute]:
    """The minutes of each step of `step_s` from `start` as one, by outcome; `minute_at` lies in the step."""
    place = (type_coerce(minutes.c.minute_at, BigInteger) - to_ms(start)) // int(step_s * 1000)
    chosen = minutes.c.upstream == upstream, minutes.c.minute_at >= start, minutes.c.minute_at < end
    groups = [minutes.c.upstream, minutes.c.outcome]
    statement = select(*groups, literal("").label("account"), literal("").label("operation"), *_merged()).where(*chosen)
    return [_minute(row) for row in tx.rows(statement.group_by(*groups, place))]


def sums_since(tx: Tx, start: datetime, *, upstream: str | None = None) -> list[Minute]:
    """All minutes since `start` as one, for each upstream, account, operation and outcome; added up by the database."""
    groups = [minutes.c[name] for name in ("upstream", "account", "operation", "outcome")]
    statement = select(*groups, *_merged()).where(minutes.c.minute_at >= start)
    if upstream is not None:
        statement = statement.where(minutes.c.upstream == upstream)
    return [_minute(row) for row in tx.rows(statement.group_by(*groups))]


def add_failures(tx: Tx, added: Sequence[Failure]) -> None:
    tx.insert(failures, [msgspec.structs.asdict(failure) for failure in added])


def page_failures(tx: Tx, upstream: str, *, limit: int, before: str | None = None) -> list[Failure]:
    """Newest first."""
    statement = select(failures).where(failures.c.upstream == upstream).order_by(failures.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(failures.c.id < before)
    return [Failure(**row._mapping) for row in tx.rows(statement)]  # noqa: SLF001 - as above


def clear_away(tx: Tx, *, before: datetime, upstreams: Sequence[str], newest: int, limit: int) -> int:
    """Remove up to `limit` rows of each kind that are older, and failures beyond the `newest`; how many were."""
    old = select(*(minutes.c[name] for name in _KEY)).where(minutes.c.minute_at < before).limit(limit)
    removed = 0
    for row in tx.rows(old):
        removed += tx.execute(delete(minutes).where(and_(*(minutes.c[name] == getattr(row, name) for name in _KEY))))
    gone = [row.id for row in tx.rows(select(failures.c.id).where(failures.c.at < before).limit(limit))]
    for upstream in upstreams:
        chosen = select(failures.c.id).where(failures.c.upstream == upstream).order_by(failures.c.id.desc())
        gone += [row.id for row in tx.rows(chosen.offset(newest).limit(limit))]
    return removed + (tx.execute(delete(failures).where(failures.c.id.in_(gone))) if gone else 0)
