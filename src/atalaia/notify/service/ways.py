"""A message on its way to its targets: what each try came to, and what that proves."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, TargetRefused
from atalaia.core.redaction import redact_url, scrub
from atalaia.core.translations import N_
from atalaia.notify.model.progress import Fate, Progress, settled
from atalaia.sdk.channels import ChannelKind
from atalaia.sdk.failures import AuthExpired, NoSuchAddress, PermanentFailure, TemporaryFailure

MAX_STATUS = 300
_STARS = "***"
_FOR_GOOD = (PermanentFailure, TargetRefused)
_SHORTEST_SECRET = 4
_STOPPED = N_("The hub stopped while it was being sent; perhaps it went out.")

log = structlog.get_logger()
Begin = Callable[[Progress], Awaitable[bool]]
"""Puts on disk that a target is begun; False: the message is not this hub's any more."""
Send = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Try:
    """What became of one target; `status` is for people and holds no secret."""

    target: str
    fate: Fate
    status: str
    started_at: datetime
    duration_ms: float = 0.0
    retry_after_s: float | None = None
    is_nobody_there: bool = False


def words_of(tries: tuple[Try, ...]) -> str:
    if len(tries) == 1:
        return tries[0].status
    return "; ".join(_named(each) for each in tries)[:MAX_STATUS]


def _named(one: Try) -> str:
    return one.status if one.target in one.status else f"{one.target}: {one.status}"


class Way:
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

    async def go(self, target: str, send: Send) -> bool:
        """False: it is not ours any more."""
        started_at, started = self._clock.now(), time.monotonic()
        if self._was.get(target) is Fate.BEGUN:
            self._note(Try(target, Fate.UNKNOWN, _STOPPED, started_at))
            return True
        made = await self._await_open(Try(target, Fate.DELIVERED, "", started_at))
        if made.fate is Fate.DELIVERED:
            try:
                if self._begin is not None and not await self._begin({**self.progress, target: Fate.BEGUN}):
                    return False
            except AtalaiaError as error:  # a store that can't be written: it has not gone yet
                self._note(Try(target, Fate.FAILED, str(error), started_at))
                return True
            made = await self._send(send, made)
        status = without_secrets(made.status, self._kind, self._values)
        self._note(replace(made, status=status, duration_ms=(time.monotonic() - started) * 1000))
        return True

    def _note(self, made: Try) -> None:
        self.tries.append(made)
        if made.fate is not Fate.FAILED:
            self.progress[made.target] = made.fate

    async def _await_open(self, made: Try) -> Try:
        try:
            await self._kind.await_open(self._values)
        except Exception as error:  # noqa: BLE001 - logged by _failed
            return self._failed(made, error, Fate.REFUSED if isinstance(error, _FOR_GOOD) else Fate.FAILED)
        return made

    async def _send(self, send: Send, made: Try) -> Try:
        try:
            return replace(made, status=await send())
        except Exception as error:  # noqa: BLE001 - logged by _failed
            return self._failed(made, error, self._fate_of(error))

    def _failed(self, made: Try, error: Exception, fate: Fate) -> Try:
        """Also what is unforeseen: a transport that breaks must not end the sender."""
        if not isinstance(error, AtalaiaError):
            log.error("channel_broke", kind=self._kind.name, exc_info=error)
            return replace(made, fate=fate, status=type(error).__name__)
        return replace(
            made,
            fate=fate,
            status=str(error),
            retry_after_s=getattr(error, "retry_after_s", None),
            is_nobody_there=isinstance(error, NoSuchAddress),
        )

    def _fate_of(self, error: Exception) -> Fate:
        if isinstance(error, _FOR_GOOD):
            return Fate.REFUSED
        is_surely_not_sent = isinstance(error, AuthExpired) or (
            isinstance(error, TemporaryFailure) and not error.may_have_arrived
        )
        return Fate.FAILED if self._kind.is_repeatable or is_surely_not_sent else Fate.UNKNOWN


def without_secrets(text: str, kind: ChannelKind, values: Mapping[str, Any]) -> str:
    """A receiver or a library may say our secret back to us."""
    for field in kind.fields:
        secret = values.get(field.name) if field.is_secret else None
        if isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, _STARS)
    # Neither a terminal's codes nor what no database keeps: the other side may say anything.
    shown = "".join(char if char.isprintable() else " " for char in text)
    return redact_url(scrub(" ".join(shown.split())))[:MAX_STATUS]
