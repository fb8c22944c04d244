"""A sender on a real store, and what tests of the outbox tell it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from atalaia.core.clock import Clock
from atalaia.core.ids import new_id
from atalaia.core.permissions import SYSTEM
from atalaia.core.translations import Translations
from atalaia.notify.channels.registry import OWN, ChannelKinds, own_kinds
from atalaia.notify.channels.tools import Tools
from atalaia.notify.model.notice import CheckBrief, IncidentBrief, IncidentNotice, NoticeKind, Told
from atalaia.notify.model.severity import Severity
from atalaia.notify.service import channels as edit
from atalaia.notify.service.channels import Actor
from atalaia.notify.service.delivering import Transport
from atalaia.notify.service.incidents import notify_incident
from atalaia.notify.service.notify import NotifyService
from atalaia.notify.service.sender import Sender
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.sdk.channels import ChannelKind
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from tests.fakes import FakeClock
from tests.unit.outbound.receiver import Receiver, receiving

SEALER = Sealer([b"k" * 32])
TRANSLATIONS = Translations.load()
SECRET = "s3cret-canary"


@dataclass
class Parts:
    store: Store
    clock: Clock
    sender: Sender
    service: NotifyService
    told: list[Told] = field(default_factory=list)

    def actor(self) -> Actor:
        return Actor(principal=SYSTEM, address="127.0.0.1", now=self.clock.now())

    async def add_webhook(self, url: str, *, name: str = "hook", is_routed: bool = True, **route: Any) -> str:
        return await self.add_channel(
            "webhook", {"url": url, "secret": SECRET}, name=name, is_routed=is_routed, **route
        )

    async def add_channel(
        self, kind: str, values: dict[str, Any], *, name: str = "hook", is_routed: bool = True, **route: Any
    ) -> str:
        def unit(tx: Tx) -> str:
            channel = edit.create_channel(
                tx, self.actor(), name=name, kind=kind, values=values, kinds=self.service.kinds, sealer=SEALER
            )
            if is_routed:
                edit.create_route(tx, self.actor(), {"channel_id": channel.id, **route})
            return channel.id

        return await self.store.write(unit)

    async def tell(
        self, kind: NoticeKind, incident: IncidentBrief, *, at: datetime | None = None, **changes: Any
    ) -> Told:
        notice = IncidentNotice(kind=kind, incident=incident, check=a_check(), **changes)
        return await self.store.write(lambda tx: notify_incident(tx, notice, now=at or self.clock.now()))

    async def outbox_size(self) -> int:
        return await self.service.waiting()

    async def until_empty(self) -> None:
        async def is_empty() -> bool:
            return not await self.outbox_size() and not self.sender.in_flight

        await until(is_empty)

    async def cut(self) -> None:
        """What is being sent ends where it is, as at a stop that can't wait: nothing more is written down."""
        flights = [task for _, task in self.sender._flights.values()]
        for task in flights:
            task.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def until_landed(self) -> None:
        """Nothing is being sent; what failed waits for its time."""

        async def has_landed() -> bool:
            await asyncio.sleep(0)
            return not self.sender.in_flight

        await until(has_landed)


async def until(is_so: Callable[[], Awaitable[bool]], *, timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while not await is_so():  # noqa: ASYNC110 - what is asked is in the store, which sets no event
            await asyncio.sleep(0.005)


def an_incident(
    title: str = "Site is down", *, severity: Severity = Severity.CRITICAL, state: str = "open", id: str = ""
) -> IncidentBrief:
    opened_at = datetime.fromisoformat("2026-01-15T11:00:00+00:00")
    return IncidentBrief(id=id or new_id(), title=title, severity=severity, state=state, opened_at=opened_at)


def a_check(**labels: str) -> CheckBrief:
    return CheckBrief(id="c1", name="Site", state="down", labels=labels or {"team": "web"})


@asynccontextmanager
async def notifying(
    store: Store, clock: Clock, *, allow_private: bool = True, kinds: Sequence[ChannelKind] = ()
) -> AsyncIterator[Parts]:
    """The sender runs as the hub's supervisor runs it."""
    guard = Guard(allow_private=allow_private)
    with ThreadPoolExecutor(2) as threads:
        tools = Tools(http=HttpClient(guard), guard=guard, threads=threads)
        known = ChannelKinds()
        known.take(OWN, own_kinds(tools))
        known.take("tests", kinds)
        transport = Transport(
            clock=clock,
            sealer=SEALER,
            kinds=known,
            translations=TRANSLATIONS,
            public_url=lambda: "https://hub.test",
        )
        sender = Sender(store, clock=clock, transport=transport, kinds=known)
        service = NotifyService(store, clock=clock, sealer=SEALER, transport=transport, kinds=known, guard=guard)
        await sender.start()
        await service.start()
        task = asyncio.create_task(_supervise(sender))
        try:
            yield Parts(store, clock, sender, service)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            await service.stop()
            await sender.stop()
            await tools.http.aclose()


async def _supervise(sender: Sender) -> None:
    while True:
        sender.wake.clear()
        await sender.run()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await sender.wake.wait()


def run_parts(
    store: Store, clock: Any, body: Callable[[Parts, Receiver], Coroutine[Any, Any, None]], **answer: Any
) -> None:
    async def run() -> None:
        async with receiving(answer.get("by")) as receiver, notifying(store, clock) as parts:
            await body(parts, receiver)

    asyncio.run(run())


def events_of(receiver: Receiver) -> list[tuple[str, str]]:
    bodies = [json.loads(request.body) for request in receiver.requests]
    return [(body["event"], body["incident"]["title"]) for body in bodies]


async def wake(parts: Parts, clock: FakeClock, seconds: float) -> None:
    clock.advance(seconds)
    parts.sender.wake.set()
