"""From rows of the outbox to a transport, and from its answer to the record."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, TargetRefused
from atalaia.core.ids import new_id
from atalaia.core.redaction import redact_url, scrub
from atalaia.core.translations import N_, Translations
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.notify.model.channel import Attempt, Channel, Outcome
from atalaia.notify.model.message import Item, shown_item
from atalaia.notify.model.notice import MessageEvent, Subject
from atalaia.notify.model.progress import Fate, Progress, pending, settled
from atalaia.notify.model.texts import mark_of, write_html, write_short, write_text, write_title
from atalaia.notify.service.vault import whole_values
from atalaia.sdk.channels import WHOLE, ChannelKind, ChannelMessage
from atalaia.sdk.failures import AuthExpired, PermanentFailure, TemporaryFailure
from atalaia.store.encryption import Sealer

MAX_STATUS = 300
_STARS = "***"
_SHORTEST_SECRET = 4
_STOPPED = N_("The hub stopped while it was being sent; perhaps it went out.")

log = structlog.get_logger()
Begin = Callable[[Progress], Awaitable[bool]]
"""Puts on disk that a target is begun; False: the message is not this hub's any more."""


@dataclass(frozen=True, slots=True)
class Try:
    """What became of one target; `status` is for people and holds no secret."""

    target: str
    fate: Fate
    status: str
    started_at: datetime
    duration_ms: float = 0.0
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one try at a message; `progress` is how far it has got with all targets."""

    delivery: str
    title: str
    tries: tuple[Try, ...]
    progress: Progress

    @property
    def is_delivered(self) -> bool:
        return all(each.fate is Fate.DELIVERED for each in self.tries)

    @property
    def is_whole(self) -> bool:
        """No target has missed it, in this try or an earlier one."""
        return all(fate is Fate.DELIVERED for fate in self.progress.values())

    @property
    def has_failed(self) -> bool:
        """Some target is to be tried again."""
        return any(each.fate is Fate.FAILED for each in self.tries)

    @property
    def retry_after_s(self) -> float | None:
        return max((each.retry_after_s for each in self.tries if each.retry_after_s is not None), default=None)

    @property
    def duration_ms(self) -> float:
        return sum(each.duration_ms for each in self.tries)

    @property
    def status(self) -> str:
        return words_of(self.tries)

    def attempt(
        self,
        one: Try,
        channel: Channel,
        *,
        incident_id: str | None,
        event: str,
        number: int,
        outcome: Outcome,
    ) -> Attempt:
        return Attempt(
            id=new_id(),
            message_id=self.delivery,
            channel_id=channel.id,
            channel_name=channel.name,
            incident_id=incident_id,
            event=event,
            title=self.title,
            attempt=number,
            started_at=one.started_at,
            duration_ms=one.duration_ms,
            outcome=outcome,
            status=one.status,
            target=one.target,
        )


def words_of(tries: tuple[Try, ...]) -> str:
    if len(tries) == 1:
        return tries[0].status
    return "; ".join(_named(each) for each in tries)[:MAX_STATUS]


def _named(one: Try) -> str:
    return one.status if one.target in one.status else f"{one.target}: {one.status}"


class Transport:
    """Writes a message in the channel's language and hands it to the channel's kind."""

    def __init__(
        self,
        *,
        clock: Clock,
        sealer: Sealer,
        kinds: ChannelKinds,
        translations: Translations,
        public_url: Callable[[], str],
    ) -> None:
        self._clock = clock
        self._sealer = sealer
        self._kinds = kinds
        self._translations = translations
        self._public_url = public_url

    async def deliver(
        self,
        channel: Channel,
        *,
        delivery: str,
        event: MessageEvent,
        subjects: list[Subject],
        progress: Progress | None = None,
        begin: Begin | None = None,
    ) -> Result | None:
        """Never raises: every failure is a result. None: another hub has taken the message.

        One target after the other, those that `progress` has settled left out. With `begin`, a target of a kind that is not
        repeatable is on disk as begun before the message goes to it.
        """
        message = self._compose(channel, delivery=delivery, event=event, subjects=subjects, now=self._clock.now())
        kind = self._kinds.of(channel.kind)
        before = dict(progress or {})
        try:
            values = whole_values(channel, kind, sealer=self._sealer)
            targets = pending(kind.targets(values), before)
        except Exception as error:
            # Whatever it is, nothing has been sent yet, and it must not end the sender.
            log.exception("channel_broke", channel=channel.id, kind=channel.kind)
            words = str(error) if isinstance(error, AtalaiaError) else type(error).__name__
            failed = Try(WHOLE, Fate.FAILED, _without_secrets(words, kind, {}), message.sent_at)
            return Result(delivery, message.title, (failed,), settled(before))
        way = _Way(kind, values, self._clock, begin if not kind.is_repeatable else None, before)
        for target in targets:
            if not await way.go(replace(message, target=target)):
                return None
        return Result(delivery, message.title, tuple(way.tries), way.progress)

    def _compose(
        self, channel: Channel, *, delivery: str, event: MessageEvent, subjects: list[Subject], now: datetime
    ) -> ChannelMessage:
        translator = self._translations.translator(channel.locale)
        items = tuple(Item(subject, self._link(event, subject)) for subject in subjects)
        title, mark = write_title(event, items, now=now, translator=translator), mark_of(event, items)
        text = write_text(event, items, translator=translator)
        return ChannelMessage(
            delivery=delivery,
            event=event.value,
            sent_at=now,
            items=tuple(shown_item(item) for item in items),
            locale=channel.locale,
            title=title,
            mark=mark,
            text=text,
            html=write_html(title, text, items),
            short=write_short(mark + title, event, items, translator=translator),
        )

    def _link(self, event: MessageEvent, subject: Subject) -> str:
        if event is MessageEvent.TEST:
            return f"{self._public_url()}/channels"
        return f"{self._public_url()}/incidents/{subject.incident.id}"


class _Way:
    """A message on its way to one target after the other."""

    def __init__(
        self, kind: ChannelKind, values: Mapping[str, Any], clock: Clock, begin: Begin | None, progress: Progress
    ) -> None:
        self.tries: list[Try] = []
        self.progress: dict[str, Fate] = settled(progress)
        self._was = progress
        self._kind = kind
        self._values = values
        self._clock = clock
        self._begin = begin

    async def go(self, message: ChannelMessage) -> bool:
        """False: it is not ours any more."""
        started_at, started = self._clock.now(), time.monotonic()
        if self._was.get(message.target) is Fate.BEGUN:
            self._note(Try(message.target, Fate.UNKNOWN, _STOPPED, started_at))
            return True
        try:
            if self._begin is not None and not await self._begin({**self.progress, message.target: Fate.BEGUN}):
                return False
        except AtalaiaError as error:  # a store that can't be written: it has not gone yet
            self._note(Try(message.target, Fate.FAILED, str(error), started_at))
            return True
        fate, status, retry_after_s = await self._send(message)
        duration_ms = (time.monotonic() - started) * 1000
        status = _without_secrets(status, self._kind, self._values)
        self._note(Try(message.target, fate, status, started_at, duration_ms, retry_after_s))
        return True

    def _note(self, made: Try) -> None:
        self.tries.append(made)
        if made.fate is not Fate.FAILED:
            self.progress[made.target] = made.fate

    async def _send(self, message: ChannelMessage) -> tuple[Fate, str, float | None]:
        try:
            return Fate.DELIVERED, await self._kind.send(self._values, message), None
        except AtalaiaError as error:
            return self._fate_of(error), str(error), getattr(error, "retry_after_s", None)
        except Exception as error:
            # A transport that breaks on something unforeseen must not end the sender.
            log.exception("channel_broke", kind=self._kind.name)
            return self._fate_of(error), type(error).__name__, None

    def _fate_of(self, error: Exception) -> Fate:
        if isinstance(error, PermanentFailure | TargetRefused):
            return Fate.REFUSED
        is_surely_not_sent = isinstance(error, AuthExpired) or (
            isinstance(error, TemporaryFailure) and not error.may_have_arrived
        )
        return Fate.FAILED if self._kind.is_repeatable or is_surely_not_sent else Fate.UNKNOWN


def _without_secrets(text: str, kind: ChannelKind, values: Mapping[str, Any]) -> str:
    """A receiver or a library may say our secret back to us."""
    for field in kind.fields:
        secret = values.get(field.name) if field.is_secret else None
        if isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _STARS)
    return redact_url(scrub(" ".join(text.split())))[:MAX_STATUS]
