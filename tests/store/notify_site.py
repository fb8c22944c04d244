"""A hub of access and notify, asked through the edge; its sender runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from atalaia.access import wiring as access_wiring
from atalaia.access.options import SETTINGS
from atalaia.access.service.people import create_person
from atalaia.core.clock import SystemClock
from atalaia.core.permissions import SYSTEM, Role
from atalaia.core.settings import Setting, Settings
from atalaia.core.translations import Translations
from atalaia.notify import wiring as notify_wiring
from atalaia.sdk.contribution import Loop, SearchSource
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.web.addresses import TrustedProxies
from atalaia.web.application import create_application
from atalaia.web.edge import Edge
from atalaia.web.live import LiveStreams
from atalaia.web.pages import Pages
from atalaia.web.rendering import Renderer
from atalaia.web.static_files import StaticFiles
from tests.contract.access_site import _QUICK, PASSWORD, Browser

_PRIVATE = Setting("hub.allow_private_targets", "bool", True, "for tests")


@dataclass
class Site:
    store: Store
    access: access_wiring.Access
    edge: Edge
    loops: Sequence[Loop]
    searches: Sequence[SearchSource]

    def browser(self) -> Browser:
        return Browser(self._client())

    async def person(self, role: Role = Role.ADMIN) -> Browser:
        """Somebody signed in."""
        email = f"{role.value.lower()}@x.test"
        password_hash = _QUICK.hash(PASSWORD)
        await self.store.write(
            lambda tx: create_person(
                tx, SYSTEM, email=email, role=role, password_hash=password_hash, now=SystemClock().now()
            )
        )
        browser = self.browser()
        answer = await browser.sign_in(email)
        assert answer.status_code == 303
        return browser

    async def refresh(self) -> None:
        """What the hub's loops do every second."""
        for loop in self.loops:
            if not loop.leader_only:
                await loop.run()

    async def script(self, *scopes: str) -> httpx.AsyncClient:
        made = await self.access.keys.create(SYSTEM, name="test", scopes=list(scopes))
        client = self._client()
        client.headers.update({"authorization": f"Bearer {made.value}"})
        return client

    def _client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.edge, client=("192.0.2.7", 50000))
        return httpx.AsyncClient(transport=transport, base_url="http://hub.test", follow_redirects=False)


@asynccontextmanager
async def a_site(store: Store) -> AsyncIterator[Site]:
    settings = Settings([*SETTINGS, _PRIVATE])
    translations = Translations.load()
    clock, sealer = SystemClock(), Sealer([b"k" * 32])
    pages = Pages(Renderer(translations, StaticFiles()), version="1", default_timezone=lambda: "UTC")

    def can_mail() -> bool:
        return wired.can_mail()

    access = access_wiring.wire(
        store=store,
        clock=clock,
        settings=settings,
        sealer=sealer,
        public_url="http://hub.test",
        can_mail=can_mail,
    )
    wired = notify_wiring.wire(
        store=store, clock=clock, settings=settings, sealer=sealer, pages=pages, public_url=lambda: "http://hub.test"
    )
    notify = wired.contribution
    for event, handler in notify.handlers:
        store.on(event, handler)
    pages.nav.extend([*access.contribution.nav, *notify.nav])
    application = create_application(
        [access.contribution, notify],
        pages=pages,
        live=LiveStreams(store.live),
        version="1",
        hot_routes=[],
        middleware=[access.middleware],
        lifespan=_no_lifespan,
    )
    edge = Edge(application, [], proxies=TrustedProxies(()), translations=translations)
    assert notify.start is not None
    assert notify.stop is not None
    await notify.start()
    try:
        yield Site(store, access, edge, notify.loops, notify.searches)
    finally:
        await notify.stop()


@asynccontextmanager
async def _no_lifespan(_app: object) -> Any:
    yield
