"""Messages to addresses: queued by integrations in a transaction of theirs, told to them when they have come to an end."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from atalaia.core.clock import Clock
from atalaia.core.errors import InvalidField
from atalaia.core.ids import new_id
from atalaia.core.permissions import Permission, Principal
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.notify.model.channel import Attempt, Channel, Outcome
from atalaia.notify.model.direct import Direct, check_subject, check_text, lane_of, masked, without_address
from atalaia.notify.model.notice import MessageEvent
from atalaia.notify.model.pace import plan_retry
from atalaia.notify.model.progress import settled
from atalaia.notify.model.queue import Message, Waiting
from atalaia.notify.queries import channels as channel_queries
from atalaia.notify.queries import direct as queries
from atalaia.notify.queries import outbox
from atalaia.notify.service import recording
from atalaia.notify.service.delivering import Result
from atalaia.notify.service.incidents import TOPIC
from atalaia.notify.service.ways import Try
from atalaia.sdk.channels import ChannelKind
from atalaia.sdk.messages import MessageDone, MessageFate, MessageKind
from atalaia.sdk.transaction import Tx

_FATES: Final[Mapping[Outcome, MessageFate]] = {
    Outcome.DELIVERED: MessageFate.DELIVERED,
    Outcome.DEAD: MessageFate.FAILED,
    Outcome.UNKNOWN: MessageFate.UNKNOWN,
    Outcome.EXPIRED: MessageFate.EXPIRED,
}


class DirectMessages:
    """What the host asks for the integrations."""

    def __init__(self, kinds: ChannelKinds, clock: Clock) -> None:
        self._kinds = kinds
        self._clock = clock

    def kinds(self, tx: Tx) -> list[MessageKind]:
        return [
            MessageKind(
                name=each.name, title=each.title, is_ready=_is_ready(tx, each), takes_answers=each.takes_answers()
            )
            for each in self._taking()
        ]

    def queue(
        self,
        tx: Tx,
        *,
        owner: str,
        kind: str,
        to: str,
        subject: str,
        text: str,
        not_before: datetime | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """See sdk.integration.Host.message. Raises: InvalidField."""
        now = self._clock.now()
        direct = Direct(
            id=new_id(),
            owner=owner,
            kind=kind,
            address=self._kind(kind).check_address(to),
            subject=check_subject(subject),
            text=check_text(text),
            queued_at=now,
            not_before=max(now, not_before or now),
            expires_at=expires_at,
        )
        queries.add(tx, direct)
        outbox.add_waiting(tx, [_row(direct)])
        tx.publish(TOPIC)
        return direct.id

    def withdraw(self, tx: Tx, message_id: str, *, owner: str) -> bool:
        """A sender that was about to begin finds its row gone, and sends nothing. False: it has begun, or is over."""
        found = queries.by_id(tx, [message_id]).get(message_id)
        if found is None or found.owner != owner or not outbox.delete_unbegun(tx, message_id):
            return False
        queries.forget(tx, message_id)
        return True

    def _kind(self, name: str) -> ChannelKind:
        """Raises: InvalidField."""
        taking = {each.name: each for each in self._taking()}
        if name not in taking:
            raise InvalidField("kind", "Choose one of: {allowed}.", allowed=", ".join(taking))
        return taking[name]

    def _taking(self) -> list[ChannelKind]:
        return [each for each in self._kinds.all() if each.takes_direct]


def _is_ready(tx: Tx, kind: ChannelKind) -> bool:
    return kind.is_ready() and (not kind.needs_channel or channel_queries.first_of_kind(tx, kind.name) is not None)


def _row(direct: Direct) -> Waiting:
    return Waiting(
        id=direct.id,
        message_id=direct.id,
        channel_id=lane_of(direct.kind),
        incident_id=direct.address,
        notice_id=direct.id,
        event=MessageEvent.DIRECT,
        queued_at=direct.queued_at,
        due_at=direct.not_before,
        attempts=0,
        may_join=False,
    )


def ways_of(tx: Tx, directs: Mapping[str, Direct], kinds: ChannelKinds) -> dict[str, Channel]:
    """By kind: the channel by whose way its messages go, of kinds that need one."""
    found: dict[str, Channel] = {}
    for name in {each.kind for each in directs.values()}:
        channel = channel_queries.first_of_kind(tx, name) if kinds.of(name).needs_channel else None
        if channel is not None:
            found[name] = channel
    return found


def record_direct(
    tx: Tx, message: Message, direct: Direct, result: Result, *, channel: Channel | None, title: str, now: datetime
) -> None:
    """What became of a try. `title` of its kind."""
    (made,) = result.tries
    is_left = result.has_failed and _put_back(tx, message, direct, result, now=now)
    outcome = recording.outcome_of(made, is_left=is_left)
    number = message.first.attempts + 1
    attempt = result.attempt(
        made,
        channel,
        incident_id=None,
        event=MessageEvent.DIRECT,
        number=number,
        outcome=outcome,
        kind_title=title,
    )
    outbox.add_attempts(tx, [attempt])
    if not is_left:
        outbox.delete_rows(tx, [direct.id])
        queries.forget(tx, direct.id)
        tx.emit(_done(direct, made, outcome, now=now))
    tx.publish(recording.TOPIC, channel.id if channel else "")


def _put_back(tx: Tx, message: Message, direct: Direct, result: Result, *, now: datetime) -> bool:
    """False: it is given up."""
    attempts = message.first.attempts + 1
    plan = plan_retry(
        attempts=attempts,
        queued_at=direct.not_before,  # its day begins when it may go
        now=now,
        is_permanent=False,
        retry_after_s=result.retry_after_s,
    )
    if plan.at is None:
        return False
    # Never due after its end, so that it ends in time.
    due_at = min(plan.at, direct.expires_at) if direct.expires_at else plan.at
    outbox.put_back(tx, [direct.id], attempts=attempts, due_at=due_at, progress=settled(result.progress))
    return True


def _done(direct: Direct, made: Try, outcome: Outcome, *, now: datetime) -> MessageDone:
    return MessageDone(
        owner=direct.owner,
        id=direct.id,
        kind=direct.kind,
        to=direct.address,
        fate=MessageFate.REFUSED if made.is_nobody_there else _FATES[outcome],
        status=made.status,
        at=now,
    )


def shown_attempt(attempt: Attempt, reader: Principal) -> Attempt:
    """Whose an address is, only those see who look after channels."""
    if attempt.event != MessageEvent.DIRECT or reader.may(Permission.CHANNELS_WRITE):
        return attempt
    return msgspec.structs.replace(
        attempt, target=masked(attempt.target), status=without_address(attempt.status, attempt.target)
    )
