"""Charging on a real store and the real simulator, without the hub around it: readings are asked for by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.core.permissions import SYSTEM, Principal
from atalaia.core.translations import Locale, Translations
from atalaia.integrations.cvepro import integration, pages
from atalaia.integrations.cvepro.api.dashboard import Dashboard
from atalaia.integrations.cvepro.cloud.client import Cloud
from atalaia.integrations.cvepro.cloud.importing import Importing
from atalaia.integrations.cvepro.cloud.offered import Offered
from atalaia.integrations.cvepro.cloud.reading import Reading
from atalaia.integrations.cvepro.service.board import Board
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.memory import MemoryBreaker, MemoryCalls, MemoryTokens
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.integration import Reply, Request
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import Login, Upstream
from atalaia.store.files import StoreFiles
from atalaia.store.store import Store
from atalaia.web.rendering import Renderer, template_roots
from atalaia.web.static_files import StaticFiles
from atalaia_simulators.cvepro import InThread, Options
from tests.acceptance.calls import Client
from tests.contract.integrations.bench import values_of

T = TypeVar("T")
SLICE = "integrations/cvepro"
TEMPLATES = integration.folder / "templates"
GIVEN = {"api_key": "key-of-the-vendor", "email": "ops@example.org", "password": "password-of-the-vendor"}


@dataclass(slots=True)
class SiteHost:
    """sdk.integration.Host, as far as charging uses it."""

    store: Store
    clock: Clock
    settings: dict[str, Any]
    faults: dict[str, FaultReport] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    audited: list[str] = field(default_factory=list)
    http: HttpClient = field(default_factory=lambda: HttpClient(Guard(allow_private=True)))
    client: UpstreamClient | None = None
    files: StoreFiles = field(init=False)

    def __post_init__(self) -> None:
        self.files = StoreFiles(integration.manifest.name, now=self.clock.now)

    def setting(self, name: str) -> Any:
        return self.settings[name]

    def upstream(self, name: str, account: str = "default") -> Upstream:  # noqa: ARG002 - the contract's form
        if self.client is None:
            self.client = self._made(MemoryTokens(self._login, clock=self.clock))
        return self.client

    async def _login(self) -> Login:
        declared = integration.upstreams[0].login
        assert declared is not None
        return await declared(self._made(MemoryTokens(None, clock=self.clock)), self.setting)

    def _made(self, tokens: MemoryTokens) -> UpstreamClient:
        ports = Ports(tokens, MemoryBreaker(clock=self.clock, longest_pause_s=0.0), MemoryCalls())
        return UpstreamClient(
            integration.upstreams[0],
            http=self.http,
            ports=ports,
            clock=self.clock,
            trust=lambda: Trust.CONFIGURED,
            chance=lambda: 0.0,
        )

    async def read(self, unit: Callable[[Tx], T]) -> T:
        return await self.store.read(unit)

    async def write(self, unit: Callable[[Tx], T]) -> T:
        return await self.store.write(unit)

    def publish(self, topic: str, id: str = "") -> None: ...

    def audit(self, tx: Tx, *, action: str, **_rest: Any) -> None:
        tx.after_commit(lambda: self.audited.append(action))

    def report_fault(self, tx: Tx, fault: FaultReport) -> None:
        def report() -> None:
            self.faults[fault.key] = fault
            self.told.append(fault.key)

        tx.after_commit(report)

    def end_fault(self, tx: Tx, key: str) -> None:
        def end() -> None:
            self.faults.pop(key, None)

        tx.after_commit(end)


class Site:
    def __init__(self, host: Any, simulator: Client) -> None:
        self.host: SiteHost = host
        self.simulator = simulator
        self.cloud = Cloud(host)
        self.reading = Reading(host, self.cloud)
        self.offered = Offered(host, self.cloud)
        self.board = Board(host)
        self.importing = Importing(host, self.cloud, lambda: True)
        self._dashboard = Dashboard(host, self.board)
        self._pages = {page.path: page for page in pages.all_of(host, self.board, self.importing)}
        self._renderer = Renderer(Translations.load(), StaticFiles(), roots={**template_roots(), "cvepro": TEMPLATES})

    def fault(self, **faults: Any) -> None:
        assert self.simulator.post("/_sim/faults", faults).status == 200

    async def read(self) -> AtalaiaError | None:
        """One reading of the chargers, as the loop does it; what it failed with."""
        try:
            await self.reading.chargers()
        except AtalaiaError as error:
            await self.reading.failed("chargers", error)
            await self.reading.judge("chargers")
            return error
        return None

    async def dashboard(self, principal: Principal = SYSTEM) -> Any:
        reply: Reply = await self._dashboard.chargers(request("/api/dashboard/chargers", principal=principal))
        assert reply.status == 200
        return reply.body

    async def page(self, path: str, *, principal: Principal = SYSTEM, locale: Locale = "en", **given: Any) -> str:
        """The page's HTML."""
        asked = request(path, principal=principal, **given)
        view = await self._pages[path].show(asked)
        more = {"viewer": principal, "csrf_token": "", "is_part": view.is_part, "title": view.title}
        return self._renderer.page(view.template, locale=locale, timezone="UTC", **{**dict(view.values), **more})


def request(
    path: str,
    *,
    principal: Principal = SYSTEM,
    query: dict[str, str] | None = None,
    path_params: dict[str, str] | None = None,
) -> Request:
    return Request(
        method="GET",
        path=path,
        path_params=path_params or {},
        query=query or {},
        headers={},
        body=b"",
        principal=principal,
        client="127.0.0.1",
    )


@asynccontextmanager
async def opened(store: Store, url: str, clock: Clock, **settings: Any) -> AsyncIterator[Site]:
    given = values_of(integration.manifest.settings, {"base_url": url, **GIVEN, **settings})
    host = SiteHost(store, clock, given)
    try:
        yield Site(host, Client(url))
    finally:
        await host.http.aclose()


def in_site(
    store: Store, clock: Clock, act: Callable[[Site], Awaitable[None]], *, options: Options | None = None, **given: Any
) -> None:
    """With a simulator whose clock is the site's."""
    simulator = InThread(options or Options(now=lambda: clock.now().timestamp()))
    simulator.start()

    async def main() -> None:
        async with opened(store, simulator.url, clock, **given) as site:
            await act(site)

    try:
        asyncio.run(main())
    finally:
        simulator.close()
