"""Upstreams on a real store, with a login and a third party that a test holds in its hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from atalaia.core.clock import Clock
from atalaia.core.permissions import SYSTEM
from atalaia.core.redaction import Secret
from atalaia.core.settings import Settings
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import CallOutcome, CallRecord, Login, Upstream, UpstreamDeclaration
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.upstreams.events import UpstreamBack, UpstreamFailing
from atalaia.upstreams.model.registered import Registered
from atalaia.upstreams.service.upstreams import Actor
from atalaia.upstreams.settings import SETTINGS
from atalaia.upstreams.wiring import Upstreams, wire

NAME = "tracker"
KEY = (NAME, "default")
ACTOR = Actor(SYSTEM, "192.0.2.7")
SEALER = Sealer([b"k" * 32])


@dataclass
class LoginDesk:
    """Gives out tokens, or fails; `gate` holds logins back."""

    count: int = 0
    failure: Exception | None = None
    gate: asyncio.Event | None = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    short: bool = False
    expires_at: datetime | None = None

    async def login(self, _upstream: Upstream, _setting: Callable[[str], Any]) -> Login:
        self.count += 1
        number = self.count
        self.arrived.set()
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        return Login(Secret("x" if self.short else f"session-token-of-login-{number}"), self.expires_at)


@dataclass
class House:
    """One hub's upstreams; several may stand on one database."""

    store: Store
    clock: Clock
    desk: LoginDesk
    upstreams: Upstreams
    told: list[UpstreamFailing | UpstreamBack]

    @property
    def keeper(self) -> Any:
        return self.upstreams.clients.keeper

    @property
    def service(self) -> Any:
        return self.upstreams.service

    async def loop(self, name: str) -> None:
        """What the supervisor calls."""
        await next(loop for loop in self.upstreams.contribution.loops if loop.name == name).run()

    def call(self, outcome: CallOutcome = "ok", *, operation: str = "read", error: str = "", **more: Any) -> CallRecord:
        values = {"account": "default", "duration_ms": 20.0, "at": self.clock.now(), **more}
        return CallRecord(upstream=NAME, operation=operation, outcome=outcome, error=error, **values)

    def seen(self) -> list[tuple[str, str]]:
        return [(type(event).__name__, event.trouble) for event in self.told]


def a_declaration(desk: LoginDesk | None, **declared: Any) -> UpstreamDeclaration:
    login = desk.login if desk is not None else None
    return UpstreamDeclaration(name=NAME, title="Tracker", login=login, min_token_length=8, **declared)


@asynccontextmanager
async def a_house(
    store: Store,
    clock: Clock,
    *,
    desk: LoginDesk | None = None,
    has_login: bool = True,
    is_configured: bool = True,
    **declared: Any,
) -> AsyncIterator[House]:
    counter = desk or LoginDesk()
    told: list[UpstreamFailing | UpstreamBack] = []
    store.on(UpstreamFailing, lambda _tx, event: told.append(event))
    store.on(UpstreamBack, lambda _tx, event: told.append(event))
    made = wire(
        store=store,
        clock=clock,
        settings=Settings(SETTINGS),
        sealer=SEALER,
        http=HttpClient(Guard()),
        pages=SimpleNamespace(banners=[]),  # type: ignore[arg-type]
        declarations=[
            Registered(
                a_declaration(counter if has_login else None, **declared),
                is_configured=lambda: is_configured,
                trust=lambda: Trust.CONFIGURED,
            )
        ],
    )
    assert made.contribution.start is not None
    assert made.contribution.stop is not None
    await made.contribution.start()
    try:
        yield House(store, clock, counter, made, told)
    finally:
        await made.contribution.stop()


def run(body: Coroutine[Any, Any, None]) -> None:
    asyncio.run(body)


async def until(is_so: Callable[[], Awaitable[bool]], *, timeout_s: float = 60) -> None:
    async with asyncio.timeout(timeout_s):
        while not await is_so():  # noqa: ASYNC110 - what is asked is in the store, which sets no event
            await asyncio.sleep(0.005)


def stored(store: Store, table: str) -> list[tuple[Any, ...]]:
    def unit(tx: Tx) -> list[tuple[Any, ...]]:
        return tx.raw(f"SELECT * FROM {table}")

    return store.read_now(unit)
