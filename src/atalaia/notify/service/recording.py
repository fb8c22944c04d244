"""What became of a try, written down together with the outbox row that it was about."""

from datetime import datetime

from atalaia.notify.events import ChannelRecovered, ChannelTroubled, MessageSettled
from atalaia.notify.model.channel import Channel, Outcome
from atalaia.notify.model.pace import Retry, is_troubled, plan_retry
from atalaia.notify.model.queue import Message
from atalaia.notify.queries import channels as channel_queries
from atalaia.notify.queries import outbox as queries
from atalaia.notify.service.delivering import Result
from atalaia.sdk.transaction import Tx

# A page with the record of deliveries listens to this.
TOPIC = "deliveries"


def record_result(tx: Tx, message: Message, channel: Channel, result: Result, *, now: datetime) -> Outcome:
    outcome = Outcome.DELIVERED if result.is_delivered else _put_back(tx, message, result, now=now)
    if outcome is not Outcome.RETRIED:
        queries.delete_rows(tx, (row.id for row in message.rows))
    number = message.first.attempts + 1
    queries.add_attempts(
        tx,
        [
            result.attempt(channel, incident_id=row.incident_id, event=row.event, number=number, outcome=outcome)
            for row in message.rows
        ],
    )
    _note_channel(tx, message, channel, result, outcome, now=now)
    if outcome is not Outcome.RETRIED:
        _tell_settled(tx, message, channel, result, outcome, now=now)
    tx.publish(TOPIC, channel.id)
    return outcome


def _put_back(tx: Tx, message: Message, result: Result, *, now: datetime) -> Outcome:
    attempts = message.first.attempts + 1
    plan: Retry = plan_retry(
        attempts=attempts,
        queued_at=message.first.queued_at,
        now=now,
        is_permanent=result.is_permanent,
        retry_after_s=result.retry_after_s,
    )
    if plan.at is None:
        return Outcome.DEAD
    queries.put_back(tx, (row.id for row in message.rows), attempts=attempts, due_at=plan.at)
    return Outcome.RETRIED


def _note_channel(
    tx: Tx, message: Message, channel: Channel, result: Result, outcome: Outcome, *, now: datetime
) -> None:
    since = channel_queries.troubled_since(tx, channel.id)
    if outcome is Outcome.DELIVERED:
        channel_queries.note_state(tx, channel.id, {"delivered_at": now, "error": None, "troubled_since": None})
        if since is not None:
            tx.emit(ChannelRecovered(channel_id=channel.id, channel_name=channel.name, at=now))
        return
    is_in_trouble = is_troubled(queued_at=message.first.queued_at, now=now, is_dead=outcome is Outcome.DEAD)
    troubled_since = since or (now if is_in_trouble else None)
    state = {"failed_at": now, "error": result.status, "troubled_since": troubled_since}
    channel_queries.note_state(tx, channel.id, state)
    if is_in_trouble and since is None:
        tx.emit(ChannelTroubled(channel_id=channel.id, channel_name=channel.name, reason=result.status, at=now))


def _tell_settled(
    tx: Tx, message: Message, channel: Channel, result: Result, outcome: Outcome, *, now: datetime
) -> None:
    for row in message.rows:
        tx.emit(
            MessageSettled(
                incident_id=row.incident_id,
                channel_id=channel.id,
                channel_name=channel.name,
                message_event=row.event,
                outcome=outcome,
                status=result.status,
                at=now,
            )
        )


def note_test(tx: Tx, channel: Channel, result: Result, *, now: datetime) -> None:
    """A test that gets through ends a trouble; one that fails is nobody's missing message."""
    if not result.is_delivered:
        channel_queries.note_state(tx, channel.id, {"failed_at": now, "error": result.status})
        return
    since = channel_queries.troubled_since(tx, channel.id)
    channel_queries.note_state(tx, channel.id, {"delivered_at": now, "error": None, "troubled_since": None})
    if since is not None:
        tx.emit(ChannelRecovered(channel_id=channel.id, channel_name=channel.name, at=now))
