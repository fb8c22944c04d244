"""From rows of the outbox to a transport, and from its answer to the record."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.ids import new_id
from atalaia.core.translations import N_, Translations
from atalaia.notify.channels.registry import ChannelKinds
from atalaia.notify.model.channel import Attempt, Channel, Outcome
from atalaia.notify.model.direct import Direct
from atalaia.notify.model.message import Item, shown_item
from atalaia.notify.model.notice import MessageEvent, Subject
from atalaia.notify.model.progress import Fate, Progress, pending, settled
from atalaia.notify.model.texts import mark_of, write_html, write_short, write_text, write_title
from atalaia.notify.service.vault import whole_values
from atalaia.notify.service.ways import Begin, Try, Way, without_secrets, words_of
from atalaia.sdk.channels import WHOLE, ChannelKind, ChannelMessage, DirectMessage
from atalaia.sdk.failures import TemporaryFailure
from atalaia.store.encryption import Sealer

_LATE = N_("It would have come too late.")
_NO_CHANNEL = N_("There is no channel of this kind that is on: {kind}")

log = structlog.get_logger()


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
        channel: Channel | None,
        *,
        incident_id: str | None,
        event: str,
        number: int,
        outcome: Outcome,
        kind_title: str = "",
    ) -> Attempt:
        """Without a channel it is on record under what its kind is called."""
        return Attempt(
            id=new_id(),
            message_id=self.delivery,
            channel_id=channel.id if channel else "",
            channel_name=channel.name if channel else kind_title,
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
            failed = Try(WHOLE, Fate.FAILED, without_secrets(words, kind, {}), message.sent_at)
            return Result(delivery, message.title, (failed,), settled(before))
        way = Way(kind, values, self._clock, begin if not kind.is_repeatable else None, before)
        for target in targets:
            if not await way.go(target, lambda: kind.send(values, replace(message, target=target))):  # noqa: B023 - awaited
                return None
        return Result(delivery, message.title, tuple(way.tries), way.progress)

    async def deliver_direct(
        self, direct: Direct, *, channel: Channel | None, progress: Progress | None = None, begin: Begin | None = None
    ) -> Result | None:
        """As `deliver`, to an address. `channel`: of kinds that need one, that by whose way it goes, where there is one."""
        kind, now = self._kinds.of(direct.kind), self._clock.now()
        before = dict(progress or {})
        to, title = direct.address, direct.subject
        if direct.is_expired(now) and before.get(to) is not Fate.BEGUN:
            late = Try(to, Fate.EXPIRED, _LATE, now)
            return Result(direct.id, title, (late,), {to: Fate.EXPIRED})
        try:
            values = self._values_of(kind, channel)
        except Exception as error:
            log.exception("channel_broke", kind=direct.kind)
            failed = Try(to, Fate.FAILED, str(error) if isinstance(error, AtalaiaError) else type(error).__name__, now)
            return Result(direct.id, title, (failed,), settled(before))
        message = DirectMessage(delivery=direct.id, to=to, subject=title, text=direct.text, sent_at=now)
        way = Way(kind, values, self._clock, begin if not kind.is_repeatable else None, before)
        if not await way.go(to, lambda: kind.send_direct(values, message)):
            return None
        return Result(direct.id, title, tuple(way.tries), way.progress)

    def _values_of(self, kind: ChannelKind, channel: Channel | None) -> Mapping[str, Any]:
        """Raises: TemporaryFailure, ConfigError."""
        if not kind.needs_channel:
            return {}
        if channel is None:
            raise TemporaryFailure(_NO_CHANNEL, kind=kind.title, may_have_arrived=False)
        return whole_values(channel, kind, sealer=self._sealer)

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
