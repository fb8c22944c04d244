"""The whole hub, wired as it is served, asked through the edge as scripts, browsers and agents ask."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from atalaia.access.service.keys import create_key
from atalaia.app.slices import Base, declared_settings, wire_slices
from atalaia.core.clock import to_ms
from atalaia.core.permissions import SYSTEM
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

HUB = "http://hub.example"
SPOOL = "0d9c4a8e-0000-4000-8000-0000000000aa"
Json = dict[str, Any]


@dataclass
class Visit:
    """A client with a key of all scopes."""

    client: httpx.AsyncClient
    clock: FakeClock
    seq: int = 0
    html: dict[str, str] = field(default_factory=lambda: {"accept": "text/html", "accept-language": "en"})

    async def add(self, **fields: Any) -> Json:
        body = {"name": "Site", "kind": "http", "target": "http://example.test/", "failures_to_down": 1} | fields
        answer = await self.client.post("/api/checks", json=body)
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        return made

    async def hear(self, agent: str, *records: Json) -> None:
        """A batch of an agent; the first one makes the agent known."""
        sent_at = to_ms(self.clock.now())
        numbered = []
        for record in records:
            self.seq += 1
            numbered.append({"t": "result", "seq": self.seq, "at": sent_at, "outcome": "ok", "line": "up"} | record)
        spool = {"id": SPOOL, "first_seq": 1, "last_seq": self.seq}
        body = {"agent": {"name": agent}, "spool": spool, "status": {}, "sent_at": sent_at, "records": numbered}
        answer = await self.client.post("/api/agents/records", json=body)
        assert answer.status_code == 200, answer.text

    async def see(self, check: Json, *oks: bool) -> None:
        for is_ok in oks:
            self.clock.advance(30)
            outcome = "ok" if is_ok else "fail"
            await self.hear(
                "sp-1",
                {
                    "probe": check["id"],
                    "ok": is_ok,
                    "outcome": outcome,
                    "error": None if is_ok else "timeout",
                    "ms": 7.5,
                },
            )

    async def incidents(self, query: str = "?state=open") -> list[Json]:
        found: list[Json] = (await self.client.get(f"/api/incidents{query}")).json()["items"]
        return found


Conversation = Callable[[Visit], Awaitable[None]]


def visit(folder: Path, conversation: Conversation) -> None:
    clock = FakeClock()
    copy_tables(folder)
    store = open_store(folder)
    try:
        asyncio.run(_talk(store, folder, clock, conversation))
    finally:
        store.close()


async def _talk(store: Store, folder: Path, clock: FakeClock, conversation: Conversation) -> None:
    edge = _edge(store, folder, clock)
    made = await store.write(
        lambda tx: create_key(tx, SYSTEM, name="test", scopes=["admin", "write", "agent", "ingest"], now=clock.now())
    )
    headers = {"authorization": f"Bearer {made.value}", "accept": "application/json"}
    transport = httpx.ASGITransport(app=edge, client=("192.0.2.7", 50_000))
    async with httpx.AsyncClient(transport=transport, base_url=HUB, headers=headers) as client:
        await conversation(Visit(client, clock))


def _edge(store: Store, folder: Path, clock: FakeClock) -> Edge:
    settings, translations = Settings(declared_settings()), Translations.load()
    pages = Pages(Renderer(translations, StaticFiles()), version="1", default_timezone=lambda: "UTC")
    live = LiveStreams(store.live)
    base = Base(
        store=store, clock=clock, settings=settings, sealer=load_sealer(folder), pages=pages, live=live,
        public_url=HUB, data_dir=folder, is_leader=lambda: True,
    )  # fmt: skip
    slices = wire_slices(base)
    for part in slices.contributions:
        pages.nav.extend(part.nav)
        for event, handler in part.handlers:
            store.on(event, handler)
    hot = [route for part in slices.contributions for route in part.hot_routes]
    application = create_application(
        slices.contributions, pages=pages, live=live, version="1", hot_routes=hot, middleware=slices.middleware,
        lifespan=_no_lifespan,
    )  # fmt: skip
    return Edge(application, hot, proxies=TrustedProxies(()), translations=translations)


@asynccontextmanager
async def _no_lifespan(_app: object) -> Any:
    yield
