"""SQL on what waits, who has been told, and what was tried."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, not_, or_, select, update
from sqlalchemy.engine import Row

from atalaia.notify.model.channel import Attempt
from atalaia.notify.model.grouping import Window
from atalaia.notify.model.notice import MessageEvent, Subject, subject_of
from atalaia.notify.model.queue import Waiting
from atalaia.notify.tables import channel_states, channels, deliveries, notices, outbox, told
from atalaia.sdk.transaction import Tx

# Longer than any wait between two tries (model.pace), and more than the clocks of two hubs differ.
_LONGEST_WAIT = timedelta(hours=1, seconds=10)
_DIFFER = timedelta(seconds=10)
_STORED = tuple(column.name for column in outbox.c if column.name != "seq")


def add_notice(tx: Tx, notice_id: str, subject: Subject, *, now: datetime) -> None:
    values = {"id": notice_id, "incident_id": subject.incident.id, "body": subject, "created_at": now}
    tx.execute(insert(notices).values(values))


def subjects(tx: Tx, notice_ids: set[str]) -> dict[str, Subject]:
    rows = tx.rows(select(notices.c.id, notices.c.body).where(notices.c.id.in_(notice_ids)))
    return {row.id: subject_of(row.body) for row in rows}


# -- outbox


def add_waiting(tx: Tx, rows: Iterable[Waiting]) -> None:
    tx.insert(outbox, [{name: getattr(row, name) for name in _STORED} for row in rows])


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public accessor


def _is_set_back(row: Waiting, now: datetime) -> bool:
    """It is due later than can be: the clock was set back since, and what it was set back by is not waited for."""
    if row.attempts:
        return row.due_at > now + _LONGEST_WAIT
    is_on_purpose = row.event == MessageEvent.DIRECT and row.due_at > row.queued_at
    return row.queued_at > now + _DIFFER and not is_on_purpose


def _was_set_back(now: datetime) -> ColumnElement[bool]:
    """The same, in SQL."""
    tried = and_(outbox.c.attempts > 0, outbox.c.due_at > now + _LONGEST_WAIT)
    is_on_purpose = and_(outbox.c.event == MessageEvent.DIRECT, outbox.c.due_at > outbox.c.queued_at)
    return or_(tried, and_(outbox.c.attempts == 0, outbox.c.queued_at > now + _DIFFER, not_(is_on_purpose)))


def waiting(tx: Tx, *, now: datetime, limit: int) -> list[Waiting]:
    """Rows of the messages that are due, and what stands before them, oldest first; not those of channels that are off."""
    due = (
        select(outbox.c.incident_id, outbox.c.channel_id)
        .outerjoin(channels, channels.c.id == outbox.c.channel_id)
        .where(
            or_(outbox.c.due_at <= now, _was_set_back(now)),
            or_(channels.c.is_enabled, outbox.c.event == MessageEvent.DIRECT),
        )
        .distinct()
        .subquery()
    )
    same = and_(outbox.c.incident_id == due.c.incident_id, outbox.c.channel_id == due.c.channel_id)
    # Alerts first: however many messages to people wait, they take no room from them.
    statement = (
        select(outbox).join(due, same).order_by(outbox.c.event == MessageEvent.DIRECT, outbox.c.seq).limit(limit)
    )
    rows = [_waiting(row) for row in tx.rows(statement)]
    # A message of several incidents is read whole, even where the limit cut it.
    members = {row.message_id for row in rows if row.message_id != row.id}
    if members:
        whole = tx.rows(select(outbox).where(outbox.c.message_id.in_(members)))
        rows = list({row.id: row for row in (*rows, *map(_waiting, whole))}.values())
    return [replace(row, due_at=now) if _is_set_back(row, now) else row for row in rows]


@dataclass(frozen=True, slots=True)
class Ahead:
    """When something is due next, and whether a reminder is due already."""

    next_at: datetime | None
    is_repeat_due: bool


def look_ahead(tx: Tx, *, now: datetime) -> Ahead:
    due = select(func.min(outbox.c.due_at)).where(outbox.c.due_at > now).scalar_subquery()
    repeat = select(func.min(told.c.repeat_due_at)).where(told.c.repeat_due_at > now).scalar_subquery()
    row = tx.one(select(due.label("due_at"), repeat.label("repeat_at"), _repeats(now).exists().label("is_repeat_due")))
    assert row is not None  # noqa: S101 - a statement without FROM has one row
    next_at = min((at for at in (row.due_at, row.repeat_at) if at is not None), default=None)
    return Ahead(next_at, bool(row.is_repeat_due))


def count_waiting(tx: Tx) -> tuple[int, datetime | None]:
    """How many messages wait, and since when the oldest."""
    row = tx.one(
        select(
            func.count(func.distinct(outbox.c.message_id)).label("messages"),
            func.min(outbox.c.queued_at).label("since"),
        )
    )
    return (int(row.messages), row.since) if row else (0, None)


def join_rows(tx: Tx, ids: Sequence[str], *, message_id: str) -> None:
    """Make one message of untried rows.

    Its id is a new one: a row may have gone out by itself right before a crash, and the receiver, which knows that id
    already, would pass over the others.
    """
    rows = outbox.c.id.in_(ids)
    untried = and_(rows, outbox.c.attempts == 0, outbox.c.progress.is_(None))
    tx.execute(update(outbox).where(untried).values(message_id=message_id, may_join=False))


def release_held(tx: Tx, incident_id: str, *, now: datetime) -> None:
    """What was held back goes now; its recovery follows it."""
    held = and_(outbox.c.incident_id == incident_id, outbox.c.due_at > now, outbox.c.attempts == 0)
    tx.execute(update(outbox).where(held).values(due_at=now))


def drop_untried(tx: Tx, incident_id: str, *, event: str) -> None:
    untried = and_(outbox.c.incident_id == incident_id, outbox.c.event == event, outbox.c.attempts == 0)
    # A row that is already part of a joined message goes with it.
    tx.execute(delete(outbox).where(untried, outbox.c.progress.is_(None), outbox.c.message_id == outbox.c.id))


def delete_rows(tx: Tx, ids: Iterable[str]) -> int:
    return tx.execute(delete(outbox).where(outbox.c.id.in_(list(ids))))


def delete_unbegun(tx: Tx, id: str) -> bool:
    return tx.execute(delete(outbox).where(outbox.c.id == id, outbox.c.progress.is_(None))) > 0


def put_back(
    tx: Tx, ids: Iterable[str], *, attempts: int, due_at: datetime, progress: Mapping[str, str] | None = None
) -> None:
    # Tried rows keep what they were sent as.
    values = {"attempts": attempts, "due_at": due_at, "may_join": False, "progress": progress or None}
    tx.execute(update(outbox).where(outbox.c.id.in_(list(ids))).values(values))


def note_progress(
    tx: Tx, ids: Iterable[str], *, before: Mapping[str, str] | None, after: Mapping[str, str] | None
) -> bool:
    """False where it is not as it was: another hub has the message now, or it is to be told no more."""
    column = outbox.c.progress
    is_as_before = column == dict(before) if before else column.is_(None)
    rows = update(outbox).where(outbox.c.id.in_(list(ids)), is_as_before)
    return tx.execute(rows.values(progress=after or None, may_join=False)) > 0


# -- windows


def lock_windows(tx: Tx, channel_ids: Iterable[str]) -> dict[str, Window | None]:
    """In the order of ids, so that two transactions never wait for each other."""
    states = channel_states.c
    statement = select(states.channel_id, states.window_opened_at, states.window_until_at)
    rows = tx.rows(
        statement.where(states.channel_id.in_(sorted(channel_ids))).order_by(states.channel_id).with_for_update()
    )
    return {
        row.channel_id: Window(row.window_opened_at, row.window_until_at) if row.window_opened_at else None
        for row in rows
    }


def set_window(tx: Tx, channel_id: str, window: Window | None) -> None:
    values = {
        "window_opened_at": window.opened_at if window else None,
        "window_until_at": window.until_at if window else None,
    }
    tx.execute(update(channel_states).where(channel_states.c.channel_id == channel_id).values(values))


def end_quiet_windows(tx: Tx, channel_ids: Iterable[str]) -> None:
    """Where all that was told in a window has recovered, the next opening is a first again."""
    still_open = exists().where(
        told.c.channel_id == channel_states.c.channel_id, told.c.told_at >= channel_states.c.window_opened_at
    )
    quiet = and_(channel_states.c.channel_id.in_(sorted(channel_ids)), ~still_open)
    tx.execute(update(channel_states).where(quiet).values(window_opened_at=None, window_until_at=None))


# -- told


def told_channels(tx: Tx, incident_id: str) -> set[str]:
    return {row.channel_id for row in tx.rows(select(told.c.channel_id).where(told.c.incident_id == incident_id))}


def add_told(tx: Tx, rows: Sequence[dict[str, Any]]) -> None:
    tx.insert(told, rows)


def renew_told(tx: Tx, incident_id: str, *, notice_id: str) -> None:
    tx.execute(update(told).where(told.c.incident_id == incident_id).values(notice_id=notice_id))


def forget_told(tx: Tx, incident_id: str) -> None:
    tx.execute(delete(told).where(told.c.incident_id == incident_id))


def stop_repeats(tx: Tx, incident_id: str) -> None:
    tx.execute(update(told).where(told.c.incident_id == incident_id).values(repeat_due_at=None))


def due_repeats(tx: Tx, *, now: datetime, limit: int) -> Sequence[Row[Any]]:
    return tx.rows(_repeats(now).order_by(told.c.repeat_due_at).limit(limit))


def _repeats(now: datetime) -> Select[Any]:
    """Those of enabled channels with nothing of the incident still on its way."""
    on_its_way = exists().where(outbox.c.incident_id == told.c.incident_id, outbox.c.channel_id == told.c.channel_id)
    due = told.c.repeat_due_at <= now
    return (
        select(told).join(channels, channels.c.id == told.c.channel_id).where(due, channels.c.is_enabled, ~on_its_way)
    )


def set_repeat(tx: Tx, incident_id: str, channel_id: str, *, due_at: datetime) -> None:
    which = and_(told.c.incident_id == incident_id, told.c.channel_id == channel_id)
    tx.execute(update(told).where(which).values(repeat_due_at=due_at))


# -- attempts


def add_attempts(tx: Tx, attempts: Iterable[Attempt]) -> None:
    names = Attempt.__struct_fields__
    tx.insert(deliveries, [{name: getattr(attempt, name) for name in names} for attempt in attempts])


def page_attempts(tx: Tx, wanted: Mapping[str, str | None], *, limit: int, before: str | None = None) -> list[Attempt]:
    """Newest first; `wanted`: values of columns, None for any."""
    statement = select(deliveries).order_by(deliveries.c.id.desc()).limit(limit)
    for name, value in wanted.items():
        if value is not None:
            statement = statement.where(deliveries.c[name] == value)
    if before is not None:
        statement = statement.where(deliveries.c.id < before)
    return [Attempt(**row._mapping) for row in tx.rows(statement)]  # noqa: SLF001 - SQLAlchemy's public accessor


def prune(tx: Tx, *, before_id: str, limit: int) -> int:
    """Remove attempts, and notices that nothing needs, older than an id (ids sort by age); how many there were."""
    old = select(deliveries.c.id).where(deliveries.c.id < before_id).order_by(deliveries.c.id).limit(limit)
    count = tx.execute(delete(deliveries).where(deliveries.c.id.in_(old)))
    # On PostgreSQL a reminder may have been queued while its channel was being removed: nobody would ever send it.
    is_of_nobody = and_(outbox.c.event != MessageEvent.DIRECT, ~exists().where(channels.c.id == outbox.c.channel_id))
    tx.execute(delete(outbox).where(is_of_nobody))
    is_used = exists().where(outbox.c.notice_id == notices.c.id) | exists().where(told.c.notice_id == notices.c.id)
    unused = select(notices.c.id).where(notices.c.id < before_id, ~is_used).limit(limit)
    return count + tx.execute(delete(notices).where(notices.c.id.in_(unused)))
