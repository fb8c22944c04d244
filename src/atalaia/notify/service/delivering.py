"""From rows of the outbox to a transport, and from its answer to the record."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, TargetRefused
from atalaia.core.ids import new_id
from atalaia.core.redaction import redact_url
from atalaia.core.translations import Translations
from atalaia.notify.channels.kind import Tools
from atalaia.notify.channels.registry import kind_of
from atalaia.notify.model.channel import Attempt, Channel, Outcome
from atalaia.notify.model.message import Item, Outgoing
from atalaia.notify.model.notice import MessageEvent, Subject
from atalaia.notify.model.texts import mark_of, write_html, write_text, write_title
from atalaia.notify.service.vault import whole_values
from atalaia.outbound.guard import Guard
from atalaia.sdk.failures import PermanentFailure
from atalaia.store.encryption import Sealer

MAX_STATUS = 300
_STARS = "***"
_SHORTEST_SECRET = 4

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one try. `status` is for people and holds no secret."""

    delivery: str
    title: str
    is_delivered: bool
    is_permanent: bool
    retry_after_s: float | None
    status: str
    started_at: datetime
    duration_ms: float

    def attempt(
        self, channel: Channel, *, incident_id: str | None, event: str, number: int, outcome: Outcome
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
            started_at=self.started_at,
            duration_ms=self.duration_ms,
            outcome=outcome,
            status=self.status,
        )


class Transport:
    """Writes a message in the channel's language and hands it to the channel's kind."""

    def __init__(
        self,
        *,
        clock: Clock,
        sealer: Sealer,
        tools: Tools,
        translations: Translations,
        public_url: Callable[[], str],
    ) -> None:
        self._clock = clock
        self._sealer = sealer
        self._tools = tools
        self._translations = translations
        self._public_url = public_url

    @property
    def guard(self) -> Guard:
        return self._tools.guard

    async def deliver(self, channel: Channel, *, delivery: str, event: MessageEvent, subjects: list[Subject]) -> Result:
        """Never raises: every failure is a result."""
        started_at, started = self._clock.now(), time.monotonic()
        message = self._compose(channel, delivery=delivery, event=event, subjects=subjects, now=started_at)
        values: Mapping[str, Any] = {}
        failure: Exception | None = None
        try:
            values = whole_values(channel, sealer=self._sealer)
            status = await kind_of(channel.kind).send(values, message, self._tools)
        except AtalaiaError as error:
            status, failure = str(error), error
        except Exception as error:
            # A transport that breaks on something unforeseen must not end the sender, and the message is tried again.
            log.exception("channel_broke", channel=channel.id, kind=channel.kind)
            status, failure = type(error).__name__, error
        return Result(
            delivery=delivery,
            title=message.title,
            is_delivered=failure is None,
            is_permanent=isinstance(failure, PermanentFailure | TargetRefused),
            retry_after_s=getattr(failure, "retry_after_s", None),
            status=_without_secrets(status, channel, values),
            started_at=started_at,
            duration_ms=(time.monotonic() - started) * 1000,
        )

    def _compose(
        self, channel: Channel, *, delivery: str, event: MessageEvent, subjects: list[Subject], now: datetime
    ) -> Outgoing:
        translator = self._translations.translator(channel.locale)
        items = tuple(Item(subject, self._link(event, subject)) for subject in subjects)
        title = write_title(event, items, now=now, translator=translator)
        text = write_text(event, items, translator=translator)
        return Outgoing(
            delivery=delivery,
            event=event,
            sent_at=now,
            items=items,
            locale=channel.locale,
            title=title,
            mark=mark_of(event, items),
            text=text,
            html=write_html(title, text, items),
        )

    def _link(self, event: MessageEvent, subject: Subject) -> str:
        if event is MessageEvent.TEST:
            return f"{self._public_url()}/channels"
        return f"{self._public_url()}/incidents/{subject.incident.id}"


def _without_secrets(text: str, channel: Channel, values: Mapping[str, Any]) -> str:
    """A receiver or a library may say our secret back to us."""
    for field in kind_of(channel.kind).fields:
        secret = values.get(field.name) if field.is_secret else None
        if isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _STARS)
    return redact_url(" ".join(text.split()))[:MAX_STATUS]
