"""A hub of access and captures, asked through the edge as a browser or a script asks."""

from collections.abc import Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from atalaia.access.options import SETTINGS
from atalaia.access.passwords import PasswordHasher
from atalaia.access.service.people import create_person
from atalaia.access.wiring import MIGRATIONS as ACCESS_MIGRATIONS
from atalaia.access.wiring import Access
from atalaia.access.wiring import wire as wire_access
from atalaia.captures.model.templates import FrameSource
from atalaia.captures.service import CapturesService
from atalaia.captures.wiring import MIGRATIONS, wire
from atalaia.core.permissions import SYSTEM, Role
from atalaia.core.settings import Settings
from atalaia.core.translations import Translations
from atalaia.store.encryption import load_sealer
from atalaia.store.opening import open_store
from atalaia.store.store import Store
from atalaia.web.addresses import TrustedProxies
from atalaia.web.application import create_application
from atalaia.web.edge import Edge
from atalaia.web.live import LiveStreams
from atalaia.web.pages import Pages
from atalaia.web.rendering import Renderer
from atalaia.web.static_files import StaticFiles
from tests.contract.access_site import PASSWORD, Browser
from tests.fakes import FakeClock
from tests.store.captures_kit import SOURCE, UPSTREAM
from tests.tables import copy_tables

HUB = "http://hub.example"
_QUICK = PasswordHasher(memory_kib=64, passes=1)


@dataclass
class Site:
    store: Store
    access: Access
    captures: CapturesService
    clock: FakeClock
    edge: Edge

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.edge, client=("192.0.2.7", 50000))
        return httpx.AsyncClient(transport=transport, base_url=HUB)

    async def key(self, *scopes: str) -> dict[str, str]:
        made = await self.access.keys.create(SYSTEM, name="test", scopes=list(scopes))
        return {"authorization": f"Bearer {made.value}", "accept": "application/json"}

    async def browser(self, role: Role = Role.ADMIN) -> Browser:
        """Of a person who is signed in."""
        hashed = _QUICK.hash(PASSWORD)
        email = f"{role.lower()}@example.org"
        self.store.write_now(
            lambda tx: create_person(tx, SYSTEM, email=email, role=role, password_hash=hashed, now=self.clock.now())
        )
        browser = Browser(self.client())
        answer = await browser.sign_in(email)
        assert answer.status_code == 303
        return browser


@contextmanager
def opened_site(folder: Path, clock: FakeClock, *, sources: Mapping[str, FrameSource] | None = None) -> Iterator[Site]:
    copy_tables(folder, [ACCESS_MIGRATIONS, MIGRATIONS])
    store = open_store(folder)
    settings = Settings(SETTINGS)
    translations = Translations.load()
    pages = Pages(Renderer(translations, StaticFiles()), version="1", default_timezone=lambda: "UTC")
    access = wire_access(
        store=store,
        clock=clock,
        settings=settings,
        sealer=load_sealer(folder),
        public_url=HUB,
        can_mail=lambda: False,
    )
    known = {UPSTREAM: SOURCE} if sources is None else sources
    captures = wire(store=store, clock=clock, sources=lambda: known)
    parts = [access.contribution, captures.contribution]
    for part in parts:
        pages.nav.extend(part.nav)
    application = create_application(
        parts,
        pages=pages,
        live=LiveStreams(store.live),
        version="1",
        hot_routes=[],
        middleware=[access.middleware],
        lifespan=_no_lifespan,
    )
    edge = Edge(application, [], proxies=TrustedProxies(()), translations=translations)
    yield Site(store, access, captures.service, clock, edge)
    store.close()


@asynccontextmanager
async def _no_lifespan(_app: object) -> Any:
    yield
