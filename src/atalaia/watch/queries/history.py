"""SQL on what checks were: spans, events, pings."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, or_, select

from atalaia.core.clock import to_ms
from atalaia.core.ids import new_id
from atalaia.sdk.transaction import Tx
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import Ping, Span, TimelineEvent
from atalaia.watch.tables import check_events, check_pings, check_spans

_encode = msgspec.json.encode


def spans_since(tx: Tx, check_ids: Sequence[str], since: datetime) -> dict[str, list[Span]]:
    """The spans of each check that reach past `since`, oldest first."""
    found: dict[str, list[Span]] = {check_id: [] for check_id in check_ids}
    if not found:
        return found
    statement = (
        select(check_spans)
        .where(check_spans.c.check_id.in_(check_ids))
        .where(or_(check_spans.c.ended_at.is_(None), check_spans.c.ended_at > since))
        .order_by(check_spans.c.check_id, check_spans.c.started_at)
    )
    for row in tx.rows(statement):
        found[row.check_id].append(Span(CheckState(row.state), row.started_at, row.ended_at))
    return found


def add_events(tx: Tx, events: Sequence[tuple[str, datetime, str, dict[str, Any]]]) -> None:
    """(check, instant, kind, data) each."""
    tx.raw_many(
        "INSERT INTO check_events (id, check_id, at, kind, data) VALUES (?, ?, ?, ?, ?)",
        [(new_id(), check_id, to_ms(at), kind, _encode(data).decode()) for check_id, at, kind, data in events],
    )


def events_page(tx: Tx, check_id: str, *, limit: int, after: str | None = None) -> list[TimelineEvent]:
    """Newest first; one more than `limit`."""
    statement = select(check_events).where(check_events.c.check_id == check_id)
    if after is not None:
        statement = statement.where(check_events.c.id < after)
    rows = tx.rows(statement.order_by(check_events.c.id.desc()).limit(limit + 1))
    return [TimelineEvent(id=row.id, at=row.at, kind=row.kind, data=row.data) for row in rows]


def add_pings(tx: Tx, pings: Sequence[Ping]) -> None:
    rows = [
        {
            "id": ping.id,
            "check_id": ping.check_id,
            "at": ping.at,
            "kind": ping.kind,
            "exit_status": ping.exit_status,
            "run": ping.run,
            "took_ms": ping.took_ms,
            "source": ping.source,
            "user_agent": ping.user_agent,
            "body": ping.body,
        }
        for ping in pings
    ]
    tx.insert(check_pings, rows)


def prune_pings(tx: Tx, check_ids: Iterable[str], *, keep: int) -> None:
    """Take out what is older than the newest `keep` of each check."""
    for check_id in check_ids:
        mine = check_pings.c.check_id == check_id
        newest = select(check_pings.c.id).where(mine).order_by(check_pings.c.id.desc()).limit(1).offset(keep)
        tx.execute(delete(check_pings).where(mine, check_pings.c.id <= newest.scalar_subquery()))


def pings_page(tx: Tx, check_id: str, *, limit: int) -> list[Ping]:
    """Newest first."""
    statement = select(check_pings).where(check_pings.c.check_id == check_id).order_by(check_pings.c.id.desc())
    return [
        Ping(
            id=row.id,
            check_id=row.check_id,
            at=row.at,
            kind=row.kind,
            exit_status=row.exit_status,
            run=row.run,
            took_ms=row.took_ms,
            source=row.source,
            user_agent=row.user_agent,
            body=row.body,
        )
        for row in tx.rows(statement.limit(limit))
    ]


def remove_before(tx: Tx, before: datetime, *, limit: int) -> int:
    """Take out at most `limit` of each kind that ended before; how many went."""
    gone = 0
    old_events = select(check_events.c.id).where(check_events.c.at < before).limit(limit)
    gone += tx.execute(delete(check_events).where(check_events.c.id.in_(old_events)))
    old_pings = select(check_pings.c.id).where(check_pings.c.at < before).limit(limit)
    gone += tx.execute(delete(check_pings).where(check_pings.c.id.in_(old_pings)))
    return gone + tx.execute(delete(check_spans).where(check_spans.c.ended_at < before))
