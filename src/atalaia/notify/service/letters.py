"""Letters to one person, which are not about an incident: a link to choose a password.

They go as direct messages do, through the oldest e-mail channel that is on, but not by the outbox: the link must not be kept,
and whoever misses it asks again.
"""

import asyncio
from collections.abc import Coroutine
from email.utils import formataddr
from typing import Any

import structlog

from atalaia.access.events import PasswordLinkAsked
from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, TargetRefused
from atalaia.core.formats import span
from atalaia.core.ids import new_id
from atalaia.core.translations import Translations, choose_locale
from atalaia.notify.channels.mail import Email
from atalaia.notify.channels.tools import Tools
from atalaia.notify.queries import channels as queries
from atalaia.notify.service.channels import TOPIC
from atalaia.notify.service.vault import whole_values
from atalaia.outbound.retry import full_jitter_s
from atalaia.sdk.channels import DirectMessage
from atalaia.sdk.failures import PermanentFailure
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store

TRIES = 4
BASE_S, CAP_S = 2.0, 30.0

log = structlog.get_logger()


class Letters:
    def __init__(self, store: Store, *, clock: Clock, sealer: Sealer, tools: Tools, translations: Translations) -> None:
        self._store = store
        self._clock = clock
        self._sealer = sealer
        self._tools = tools
        self._translations = translations
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._can_mail = False
        self._is_stale = True

    def can_mail(self) -> bool:
        """Whether there is an e-mail channel that is on; known without asking the store."""
        return self._can_mail

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._store.live.subscribe(self._on_topic)
        await self.refresh()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def refresh(self) -> None:
        """Called every second; asks the store only after a change."""
        if self._is_stale:
            self._is_stale = False
            self._can_mail = await self._store.read(lambda tx: queries.first_of_kind(tx, Email.name)) is not None

    def on_password_link(self, tx: Tx, event: PasswordLinkAsked) -> None:
        tx.after_commit(lambda: self._launch(self._send_password_link(event)))

    def _launch(self, work: Coroutine[Any, Any, None]) -> None:
        """Called on the writer's thread."""
        if self._loop is None or self._loop.is_closed():
            work.close()
            return
        self._loop.call_soon_threadsafe(self._keep, work)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_password_link(self, event: PasswordLinkAsked) -> None:
        channel = await self._store.read(lambda tx: queries.first_of_kind(tx, Email.name))
        if channel is None:
            return
        kind = Email(self._tools)
        values = whole_values(channel, kind, sealer=self._sealer)
        letter = self._password_letter(event)
        for attempt in range(1, TRIES + 1):
            try:
                await kind.await_open(values)
                await kind.send_direct(values, letter)
            except (PermanentFailure, TargetRefused) as error:
                log.warning("password_link_not_sent", person=event.person_id, code=error.code)
                return
            except AtalaiaError as error:
                log.warning("password_link_not_sent", person=event.person_id, code=error.code, attempt=attempt)
                await asyncio.sleep(full_jitter_s(attempt, base_s=BASE_S, cap_s=CAP_S))
            else:
                return

    def _password_letter(self, event: PasswordLinkAsked) -> DirectMessage:
        translator = self._translations.translator(choose_locale(None, chosen=event.locale))
        now = self._clock.now()
        ttl = span(event.expires_at - now)
        lines = (
            translator.translate("Somebody asked for a link to choose your password, good once, for {span}:", span=ttl),
            event.link.reveal(),
            translator.translate("If it was not you, there is nothing to do: your password stays as it is."),
        )
        return DirectMessage(
            delivery=new_id(),
            to=formataddr((" ".join(event.name.split()), event.email)),
            subject=translator.translate("Choose a password for Atalaia"),
            text="\n\n".join(lines),
            sent_at=now,
        )

    def _on_topic(self, topic: str, _id: str) -> None:
        if topic == TOPIC:
            self._is_stale = True
