"""A hub of access alone, asked as a browser or a script asks: through the edge, with its cookies."""

import re
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from atalaia.access.options import SETTINGS
from atalaia.access.passwords import PasswordHasher
from atalaia.access.service.people import create_person
from atalaia.access.wiring import MIGRATIONS, Access, wire
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
from tests.fakes import FakeClock
from tests.tables import copy_tables

PASSWORD = "três tigres tristes"
_PROOF = re.compile(r'name="csrf_token" value="([^"]+)"')
_QUICK = PasswordHasher(memory_kib=64, passes=1)


class Browser:
    """Keeps cookies, and takes the proof of a form from the page it was on last."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self._page = ""

    async def get(self, path: str, **headers: str) -> httpx.Response:
        answer = await self.client.get(path, headers={"accept": "text/html", **headers})
        if _PROOF.search(answer.text):
            self._page = answer.text
        return answer

    async def post(self, path: str, fields: Mapping[str, Any] | None = None, **headers: str) -> httpx.Response:
        found = _PROOF.search(self._page)
        data = {"csrf_token": found[1] if found else "", **(fields or {})}
        answer = await self.client.post(path, data=data, headers={"accept": "text/html", **headers})
        if _PROOF.search(answer.text):
            self._page = answer.text
        return answer

    async def sign_in(self, email: str, next_address: str = "") -> httpx.Response:
        await self.get("/sign-in")
        return await self.post("/sign-in", {"email": email, "password": PASSWORD, "next": next_address})


@dataclass
class Site:
    store: Store
    access: Access
    clock: FakeClock
    edge: Edge
    base_url: str

    def browser(self) -> Browser:
        transport = httpx.ASGITransport(app=self.edge, client=("192.0.2.7", 50000))
        return Browser(httpx.AsyncClient(transport=transport, base_url=self.base_url, follow_redirects=False))

    def add(self, email: str, role: Role = Role.ADMIN) -> str:
        password_hash = _QUICK.hash(PASSWORD)
        return self.store.write_now(
            lambda tx: create_person(
                tx, SYSTEM, email=email, role=role, password_hash=password_hash, now=self.clock.now()
            )
        ).id

    async def key(self, *scopes: str) -> dict[str, str]:
        made = await self.access.keys.create(SYSTEM, name="test", scopes=list(scopes))
        self.clock.advance(0.01)
        return {"authorization": f"Bearer {made.value}", "accept": "application/json"}


def make_site(folder: Path, clock: FakeClock, *, base_url: str = "http://hub.example") -> Site:
    copy_tables(folder, [MIGRATIONS])
    store = open_store(folder)
    settings = Settings(SETTINGS)
    translations = Translations.load()
    pages = Pages(Renderer(translations, StaticFiles()), version="1", default_timezone=lambda: "UTC")
    access = wire(
        store=store,
        clock=clock,
        settings=settings,
        sealer=load_sealer(folder),
        public_url=base_url,
        can_mail=lambda: True,
    )
    pages.nav.extend(access.contribution.nav)
    pages.audit_words.update(access.contribution.audit_words)
    application = create_application(
        [access.contribution],
        pages=pages,
        live=LiveStreams(store.live),
        version="1",
        hot_routes=[],
        middleware=[access.middleware],
        lifespan=_no_lifespan,
    )
    edge = Edge(application, [], proxies=TrustedProxies(()), translations=translations)
    return Site(store=store, access=access, clock=clock, edge=edge, base_url=base_url)


@asynccontextmanager
async def _no_lifespan(_app: object) -> Any:
    yield
