"""An incident's news on its way out: which channels hear of it, when, and in which order."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from atalaia.core.ids import new_id
from atalaia.notify.channels.webhook import Webhook
from atalaia.notify.model.grouping import place_opening
from atalaia.notify.model.notice import IncidentNotice, MessageEvent, NoticeKind, Told
from atalaia.notify.model.queue import Waiting
from atalaia.notify.model.routing import Destination, choose_destinations
from atalaia.notify.queries import channels as channel_queries
from atalaia.notify.queries import outbox as queries
from atalaia.sdk.transaction import Tx

# Told after each commit that put something into the outbox; the sender of the leading hub wakes up.
TOPIC = "outbox"


def notify_incident(tx: Tx, notice: IncidentNotice, *, now: datetime) -> Told:
    """Queue the messages of an incident's news in the transaction that makes it so.

    They leave right after the commit, or never existed. Telling the same opening again reaches only channels that have
    not heard of it (a severity that has risen, a route that is new); closing tells those that heard of the opening.
    """
    match notice.kind:
        case NoticeKind.OPENED:
            return _tell_opening(tx, notice, now=now)
        case NoticeKind.RECOVERED:
            return _tell_recovery(tx, notice, now=now)
        case NoticeKind.ACKNOWLEDGED:
            queries.stop_repeats(tx, notice.incident.id)
            queries.drop_untried(tx, notice.incident.id, event=MessageEvent.REPEATED)
            return Told(is_wanted=False)


def _tell_opening(tx: Tx, notice: IncidentNotice, *, now: datetime) -> Told:
    chosen = choose_destinations(
        channel_queries.live_routes(tx), labels=notice.routing_labels, severity=notice.incident.severity
    )
    heard = queries.told_channels(tx, notice.incident.id)
    wanted = {id_: destination for id_, destination in chosen.items() if id_ not in notice.except_channels}
    new = {id_: destination for id_, destination in wanted.items() if id_ not in heard}
    if new or heard:
        notice_id = _keep_notice(tx, notice, now=now)
        queries.renew_told(tx, notice.incident.id, notice_id=notice_id)
        _queue_openings(tx, notice, new, notice_id=notice_id, now=now)
    briefs = channel_queries.channel_briefs(tx, {*wanted, *heard})
    return Told(channels=tuple(sorted(name for name, _ in briefs.values())))


def _queue_openings(
    tx: Tx, notice: IncidentNotice, destinations: Mapping[str, Destination], *, notice_id: str, now: datetime
) -> None:
    if not destinations:
        return
    windows = queries.lock_windows(tx, destinations)
    rows: list[Waiting] = []
    here = sorted(windows)  # without a channel that was removed since the routes were read
    for id_ in here:
        placed = place_opening(windows.get(id_), now=now, group_wait_s=destinations[id_].group_wait_s)
        if placed.window != windows.get(id_):
            queries.set_window(tx, id_, placed.window)
        row = _row(notice, MessageEvent.OPENED, channel_id=id_, notice_id=notice_id, now=now)
        rows.append(replace(row, due_at=placed.due_at, may_join=placed.is_held))
    queries.add_waiting(tx, rows)
    queries.add_told(tx, [_told_row(notice, destinations[id_], notice_id, now) for id_ in here])
    tx.publish(TOPIC)


def _told_row(notice: IncidentNotice, destination: Destination, notice_id: str, now: datetime) -> dict[str, object]:
    every_s = destination.repeat_interval_s
    return {
        "incident_id": notice.incident.id,
        "channel_id": destination.channel_id,
        "notice_id": notice_id,
        "told_at": now,
        "repeat_interval_s": every_s,
        "repeat_due_at": now + timedelta(seconds=every_s) if every_s else None,
    }


def _tell_recovery(tx: Tx, notice: IncidentNotice, *, now: datetime) -> Told:
    heard = queries.told_channels(tx, notice.incident.id)
    if not heard:
        return Told(is_wanted=False)
    queries.lock_windows(tx, heard)
    notice_id = _keep_notice(tx, notice, now=now)
    queries.drop_untried(tx, notice.incident.id, event=MessageEvent.REPEATED)
    queries.release_held(tx, notice.incident.id, now=now)
    briefs = channel_queries.channel_briefs(tx, heard)
    queries.add_waiting(tx, _recovery_rows(notice, briefs, notice_id=notice_id, now=now))
    queries.forget_told(tx, notice.incident.id)
    queries.end_quiet_windows(tx, heard)
    tx.publish(TOPIC)
    return Told(channels=tuple(sorted(name for name, _ in briefs.values())))


def _recovery_rows(
    notice: IncidentNotice, briefs: Mapping[str, tuple[str, str]], *, notice_id: str, now: datetime
) -> Iterable[Waiting]:
    """Told at once; those that leave at the same moment go as one to people, and each by itself to machines."""
    for id_, (_, kind) in sorted(briefs.items()):
        row = _row(notice, MessageEvent.RECOVERED, channel_id=id_, notice_id=notice_id, now=now)
        yield replace(row, may_join=kind != Webhook.name)


def _keep_notice(tx: Tx, notice: IncidentNotice, *, now: datetime) -> str:
    notice_id = new_id()
    queries.add_notice(tx, notice_id, notice.subject, now=now)
    return notice_id


def _row(notice: IncidentNotice, event: MessageEvent, *, channel_id: str, notice_id: str, now: datetime) -> Waiting:
    row_id = new_id()
    return Waiting(
        id=row_id,
        message_id=row_id,
        channel_id=channel_id,
        incident_id=notice.incident.id,
        notice_id=notice_id,
        event=event,
        queued_at=now,
        due_at=now,
        attempts=0,
        may_join=False,
    )


def queue_repeats(tx: Tx, *, now: datetime, limit: int = 500) -> int:
    """Remind of what is open and not acknowledged; how many rows were queued."""
    rows: list[Waiting] = []
    for due in queries.due_repeats(tx, now=now, limit=limit):
        row_id = new_id()
        rows.append(
            Waiting(
                id=row_id,
                message_id=row_id,
                channel_id=due.channel_id,
                incident_id=due.incident_id,
                notice_id=due.notice_id,
                event=MessageEvent.REPEATED,
                queued_at=now,
                due_at=now,
                attempts=0,
                may_join=True,
            )
        )
        next_at = now + timedelta(seconds=due.repeat_interval_s)
        queries.set_repeat(tx, due.incident_id, due.channel_id, due_at=next_at)
    queries.add_waiting(tx, rows)
    if rows:
        tx.publish(TOPIC)
    return len(rows)
