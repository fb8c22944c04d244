"""What became of a try, written down together with the outbox row that it was about."""

from collections.abc import Mapping
from datetime import datetime

from atalaia.notify.events import ChannelRecovered, ChannelTroubled, MessageSettled
from atalaia.notify.model.channel import Channel, Outcome
from atalaia.notify.model.pace import is_troubled, plan_retry
from atalaia.notify.model.progress import Fate, settled
from atalaia.notify.model.queue import Message
from atalaia.notify.queries import channels as channel_queries
from atalaia.notify.queries import outbox as queries
from atalaia.notify.service.delivering import Result
from atalaia.notify.service.ways import Try, words_of
from atalaia.sdk.transaction import Tx

# A page with the record of deliveries listens to this.
TOPIC = "deliveries"
_OUTCOMES: Mapping[Fate, Outcome] = {
    Fate.DELIVERED: Outcome.DELIVERED,
    Fate.REFUSED: Outcome.DEAD,
    Fate.UNKNOWN: Outcome.UNKNOWN,
    Fate.EXPIRED: Outcome.EXPIRED,
}
# What somebody else has to be told of, through another channel.
_MISSED = frozenset({Outcome.DEAD, Outcome.UNKNOWN})


def record_result(tx: Tx, message: Message, channel: Channel, result: Result, *, now: datetime) -> set[Outcome]:
    """The outcomes of its targets."""
    is_left = result.has_failed and _put_back(tx, message, result, now=now)
    if not is_left:
        queries.delete_rows(tx, (row.id for row in message.rows))
    outcomes = {each.target: outcome_of(each, is_left=is_left) for each in result.tries}
    _keep_attempts(tx, message, channel, result, outcomes)
    _note_channel(tx, message, channel, result, set(outcomes.values()), now=now)
    _tell_settled(tx, message, channel, result, outcomes, now=now)
    tx.publish(TOPIC, channel.id)
    return set(outcomes.values())


def outcome_of(one: Try, *, is_left: bool = False) -> Outcome:
    """`is_left`: what failed is tried again."""
    return _OUTCOMES.get(one.fate, Outcome.RETRIED if is_left else Outcome.DEAD)


def _put_back(tx: Tx, message: Message, result: Result, *, now: datetime) -> bool:
    """False: it is given up."""
    attempts = message.first.attempts + 1
    plan = plan_retry(
        attempts=attempts,
        queued_at=message.first.queued_at,
        now=now,
        is_permanent=False,
        retry_after_s=result.retry_after_s,
    )
    if plan.at is None:
        return False
    ids = (row.id for row in message.rows)
    queries.put_back(tx, ids, attempts=attempts, due_at=plan.at, progress=settled(result.progress))
    return True


def _keep_attempts(tx: Tx, message: Message, channel: Channel, result: Result, outcomes: Mapping[str, Outcome]) -> None:
    number = message.first.attempts + 1
    queries.add_attempts(
        tx,
        [
            result.attempt(
                each,
                channel,
                incident_id=row.incident_id,
                event=row.event,
                number=number,
                outcome=outcomes[each.target],
            )
            for row in message.rows
            for each in result.tries
        ],
    )


def _note_channel(
    tx: Tx, message: Message, channel: Channel, result: Result, outcomes: set[Outcome], *, now: datetime
) -> None:
    since = channel_queries.troubled_since(tx, channel.id)
    if Outcome.DELIVERED in outcomes:
        channel_queries.note_state(tx, channel.id, {"delivered_at": now})
    if result.is_whole and not result.has_failed:
        channel_queries.note_state(tx, channel.id, {"error": None, "troubled_since": None})
        if since is not None:
            tx.emit(ChannelRecovered(channel_id=channel.id, channel_name=channel.name, at=now))
        return
    if result.is_delivered:  # the rest of a message that somebody has missed: that was told already
        return
    reason = words_of(tuple(each for each in result.tries if each.fate is not Fate.DELIVERED))
    is_missed = bool(outcomes & _MISSED)
    is_in_trouble = is_troubled(queued_at=message.first.queued_at, now=now, is_dead=is_missed)
    troubled_since = since or (now if is_in_trouble else None)
    state = {"failed_at": now, "error": reason, "troubled_since": troubled_since}
    channel_queries.note_state(tx, channel.id, state)
    if is_in_trouble and since is None:
        tx.emit(ChannelTroubled(channel_id=channel.id, channel_name=channel.name, reason=reason, at=now))


def _tell_settled(
    tx: Tx, message: Message, channel: Channel, result: Result, outcomes: Mapping[str, Outcome], *, now: datetime
) -> None:
    """One event for each incident and outcome: several targets may have fared alike."""
    for outcome in sorted(set(outcomes.values()) - {Outcome.RETRIED}):
        status = words_of(tuple(each for each in result.tries if outcomes[each.target] is outcome))
        for row in message.rows:
            tx.emit(
                MessageSettled(
                    incident_id=row.incident_id,
                    channel_id=channel.id,
                    channel_name=channel.name,
                    message_event=row.event,
                    outcome=outcome,
                    status=status,
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
