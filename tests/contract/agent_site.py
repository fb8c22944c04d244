"""A hub of access, agents and pings, asked through the edge as an agent or a script asks."""

import gzip
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from atalaia.access.options import SETTINGS as ACCESS_SETTINGS
from atalaia.access.wiring import MIGRATIONS as ACCESS_MIGRATIONS
from atalaia.access.wiring import Access
from atalaia.access.wiring import wire as wire_access
from atalaia.agents.service import AgentsService
from atalaia.agents.wiring import MIGRATIONS as AGENTS_MIGRATIONS
from atalaia.agents.wiring import wire as wire_agents
from atalaia.core.permissions import SYSTEM
from atalaia.core.settings import Settings
from atalaia.core.translations import Translations
from atalaia.metrics.service.metrics import MetricsService
from atalaia.metrics.settings import SETTINGS as METRICS_SETTINGS
from atalaia.metrics.wiring import MIGRATIONS as METRICS_MIGRATIONS
from atalaia.metrics.wiring import make_service
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.pings.service import PingsService
from atalaia.pings.settings import SETTINGS as PINGS_SETTINGS
from atalaia.pings.wiring import MIGRATIONS as PINGS_MIGRATIONS
from atalaia.pings.wiring import wire as wire_pings
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

HUB = "http://hub.example"
PEER = ("192.0.2.7", 50000)


@dataclass
class Site:
    store: Store
    access: Access
    agents: AgentsService
    pings: PingsService
    metrics: MetricsService
    clock: FakeClock
    edge: Edge

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.edge, client=PEER)
        return httpx.AsyncClient(transport=transport, base_url=HUB, headers={"accept": "application/json"})

    async def key(self, *scopes: str) -> dict[str, str]:
        """Headers of a new key."""
        made = await self.access.keys.create(SYSTEM, name="test", scopes=list(scopes))
        return {"authorization": f"Bearer {made.value}"}


def make_site(folder: Path, clock: FakeClock) -> Site:
    copy_tables(folder, [ACCESS_MIGRATIONS, METRICS_MIGRATIONS, AGENTS_MIGRATIONS, PINGS_MIGRATIONS])
    store = open_store(folder)
    settings = Settings([*ACCESS_SETTINGS, *METRICS_SETTINGS, *PINGS_SETTINGS])
    sealer = load_sealer(folder)
    translations = Translations.load()
    pages = Pages(Renderer(translations, StaticFiles()), version="1", default_timezone=lambda: "UTC")
    access = wire_access(
        store=store, clock=clock, settings=settings, sealer=sealer, public_url=HUB, can_mail=lambda: False
    )
    http = HttpClient(Guard(allow_private=True))
    metrics = make_service(store, settings=settings, clock=clock, http=lambda: http)
    agents = AgentsService(store, clock=clock, sealer=sealer, public_url=HUB)
    pings = PingsService(store, metrics=metrics, settings=settings, clock=clock)
    parts = [
        access.contribution,
        wire_agents(agents=agents, authenticator=access.authenticator),
        wire_pings(pings=pings, authenticator=access.authenticator),
    ]
    for part in parts:
        pages.nav.extend(part.nav)
        for event, handler in part.handlers:
            store.on(event, handler)
    hot = [route for part in parts for route in part.hot_routes]
    application = create_application(
        parts,
        pages=pages,
        live=LiveStreams(store.live),
        version="1",
        hot_routes=hot,
        middleware=[access.middleware],
        lifespan=_no_lifespan,
    )
    edge = Edge(application, hot, proxies=TrustedProxies(()), translations=translations)
    return Site(store, access, agents, pings, metrics, clock, edge)


@asynccontextmanager
async def _no_lifespan(_app: object) -> Any:
    yield


def packed(value: Any) -> tuple[bytes, dict[str, str]]:
    """A gzipped JSON body, and its headers."""
    return gzip.compress(json.dumps(value).encode()), {
        "content-type": "application/json",
        "content-encoding": "gzip",
    }
