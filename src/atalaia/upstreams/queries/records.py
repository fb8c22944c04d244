"""SQL on calls and failures."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import and_, delete, select, update
from sqlalchemy.engine import Row

from atalaia.sdk.transaction import Tx
from atalaia.upstreams.model.records import Failure, Minute
from atalaia.upstreams.tables import upstream_failures as failures
from atalaia.upstreams.tables import upstream_minutes as minutes

_KEY = ("upstream", "minute_at", "account", "operation", "outcome")


def _minute(row: Row[Any]) -> Minute:
    return Minute(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor


def add_minutes(tx: Tx, added: Iterable[Minute]) -> None:
    """Add to what other hubs and workers have counted; in one order, so that two of them can't wait for each other."""
    for minute in sorted(added, key=lambda each: each.key):
        values = msgspec.structs.asdict(minute)
        if tx.upsert(minutes, [values], key=_KEY):
            continue
        here = and_(*(minutes.c[name] == values[name] for name in _KEY))
        row = tx.one(select(minutes).where(here).with_for_update())
        if row is None:
            continue
        whole = _minute(row)
        whole.merge(minute)
        changed = {"calls": whole.calls, "total_ms": whole.total_ms, "max_ms": whole.max_ms, "buckets": whole.buckets}
        tx.execute(update(minutes).where(here).values(changed))


def minutes_between(
    tx: Tx, *, start: datetime, end: datetime | None = None, upstream: str | None = None
) -> list[Minute]:
    statement = select(minutes).where(minutes.c.minute_at >= start)
    if end is not None:
        statement = statement.where(minutes.c.minute_at < end)
    if upstream is not None:
        statement = statement.where(minutes.c.upstream == upstream)
    return [_minute(row) for row in tx.rows(statement)]


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
