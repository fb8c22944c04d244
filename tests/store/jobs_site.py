"""Jobs on a real store, asked through the edge as a worker in any language asks; time moves when it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec

from atalaia.access.options import SETTINGS as ACCESS_SETTINGS
from atalaia.access.wiring import Access
from atalaia.access.wiring import wire as wire_access
from atalaia.core.permissions import SYSTEM
from atalaia.core.settings import Settings
from atalaia.core.translations import Translations
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.service import JobsService
from atalaia.jobs.settings import SETTINGS as JOBS_SETTINGS
from atalaia.jobs.wiring import Jobs
from atalaia.jobs.wiring import wire as wire_jobs
from atalaia.sdk.jobs import JobRun, JobType
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.web.addresses import TrustedProxies
from atalaia.web.application import create_application
from atalaia.web.edge import Edge
from atalaia.web.live import LiveStreams
from atalaia.web.pages import Pages
from atalaia.web.rendering import Renderer
from atalaia.web.static_files import StaticFiles
from tests.fakes import FakeClock

HUB = "http://hub.example"
PEER = ("192.0.2.7", 50000)
SLICES = ("access", "jobs")
ALL_SCOPES = ("read", "jobs:create", "jobs:work")
Json = dict[str, Any]


class Car(msgspec.Struct):
    """The payload of the type that can resolve."""

    client: str
    n: int = 0


async def run_nothing(_run: JobRun) -> None:
    return


def known_types(*, whole_s: float = 120) -> JobTypes:
    types = JobTypes()
    types.register(
        JobType(
            name="drive",
            title="Drive",
            payload=Car,
            run=run_nothing,
            resolve=run_nothing,
            upstream="cars",
            concurrency_key=lambda payload: f"client:{payload.client}",
            whole_s=whole_s,
        )
    )
    return types


@dataclass
class Site:
    store: Store
    access: Access
    jobs: Jobs
    clock: FakeClock
    edge: Edge
    settings: Settings
    open_upstreams: set[str]
    headers: dict[str, str]

    @property
    def service(self) -> JobsService:
        return self.jobs.service

    def client(self, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.edge, client=PEER)
        both = {"accept": "application/json", "content-type": "application/json"} | (
            self.headers if headers is None else headers
        )
        return httpx.AsyncClient(transport=transport, base_url=HUB, headers=both, timeout=30)

    async def key(self, *scopes: str) -> dict[str, str]:
        made = await self.access.keys.create(SYSTEM, name="test", scopes=list(scopes))
        return {"authorization": f"Bearer {made.value}"}

    # -- a short way to what most tests do

    async def post(self, path: str, body: Any, *, status: int = 200, **headers: str) -> Json:
        async with self.client() as client:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = await client.post(path, content=msgspec.json.encode(body), headers=named)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        said: Json = answer.json() if answer.content else {}
        return said

    async def create(self, type: str = "mow", payload: Any = None, **more: Any) -> str:
        made = await self.post("/api/jobs", {"type": type, "payload": payload, **more}, status=201)
        return str(made["id"])

    async def lease(self, *types: str, worker: str = "w1", count: int = 1, **more: Any) -> list[Json]:
        asked = {"worker_id": worker, "incarnation": "i1", "types": list(types or ("mow",)), "max": count, **more}
        async with self.client() as client:
            answer = await client.post("/api/leases", json=asked)
        assert answer.status_code in {200, 204}, answer.text
        jobs: list[Json] = answer.json()["jobs"] if answer.content else []
        return jobs

    async def complete(self, job: Json, outcome: str = "succeeded", *, status: int = 200, **more: Any) -> Json:
        body = {"token": job["token"], "outcome": outcome, **more}
        return await self.post(f"/api/jobs/{job['id']}/complete", body, status=status)

    async def renew(self, *jobs: Json, steps: list[Json] | None = None, worker: str = "w1") -> list[str]:
        items = [{"id": job["id"], "token": job["token"], "steps": steps or []} for job in jobs]
        said = await self.post("/api/leases/renew", {"worker_id": worker, "items": items})
        return [item["state"] for item in said["items"]]

    async def job(self, id: str) -> Json:
        async with self.client() as client:
            answer = await client.get(f"/api/jobs/{id}")
        assert answer.status_code == 200, answer.text
        job: Json = answer.json()
        return job

    async def state(self, id: str) -> str:
        return str((await self.job(id))["state"])

    async def lapse(self, seconds: float = 31) -> None:
        """Time passes without a renewal; the reaper sees it pass."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
            await self.service.reaper.round()


def make_site(store: Store, clock: FakeClock, folder: Path, *, types: JobTypes | None = None, **set_to: Any) -> Site:
    settings = Settings([*ACCESS_SETTINGS, *JOBS_SETTINGS])
    settings.set_page_values({f"jobs.{name}": value for name, value in set_to.items()})
    sealer = Sealer([b"k" * 32])
    access = wire_access(
        store=store, clock=clock, settings=settings, sealer=sealer, public_url=HUB, can_mail=lambda: False
    )
    open_upstreams: set[str] = set()
    jobs = wire_jobs(
        store=store,
        clock=clock,
        settings=settings,
        sealer=sealer,
        authenticator=access.authenticator,
        types=types or known_types(),
        is_upstream_open=open_upstreams.__contains__,
    )
    edge = _edge(store, [access.contribution, jobs.contribution], access.middleware)
    assert folder.exists()
    return Site(store, access, jobs, clock, edge, settings, open_upstreams, {})


def _edge(store: Store, parts: list[Any], middleware: Any) -> Edge:
    translations = Translations.load()
    pages = Pages(Renderer(translations, StaticFiles()), version="1", default_timezone=lambda: "UTC")
    hot = [route for part in parts for route in part.hot_routes]
    application = create_application(
        parts,
        pages=pages,
        live=LiveStreams(store.live),
        version="1",
        hot_routes=hot,
        middleware=[middleware],
        lifespan=_no_lifespan,
    )
    return Edge(application, hot, proxies=TrustedProxies(()), translations=translations)


@asynccontextmanager
async def _no_lifespan(_app: object) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def opened(site: Site) -> AsyncIterator[Site]:
    """With its wake-ups, and a key for everything. The loops don't run by themselves."""
    assert site.jobs.contribution.start is not None
    assert site.jobs.contribution.stop is not None
    await site.jobs.contribution.start()
    site.headers = await site.key(*ALL_SCOPES)
    await site.service.reaper.round()
    try:
        yield site
    finally:
        await site.jobs.contribution.stop()


def talk(store: Store, clock: FakeClock, folder: Path, conversation: Any, **more: Any) -> None:
    async def run() -> None:
        async with opened(make_site(store, clock, folder, **more)) as site:
            await conversation(site)

    asyncio.run(run())
