"""What upstreams give to the hub, and to the slices and integrations above."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from litestar.di import Provide
from prometheus_client.registry import Collector

from atalaia.core.clock import Clock
from atalaia.core.permissions import Permission, Principal
from atalaia.core.redaction import Secret
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.outbound.http import HttpClient
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.sdk.contribution import Contribution, HealthItem, NavItem, SearchSource
from atalaia.sdk.integration import TokenStatus
from atalaia.sdk.upstreams import Upstream
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.upstreams import api, tables
from atalaia.upstreams import pages as page_routes
from atalaia.upstreams.audit_words import AUDIT_WORDS
from atalaia.upstreams.loops import upstream_loops
from atalaia.upstreams.metrics import UpstreamMetrics
from atalaia.upstreams.model.registered import Key, Registered, Registry
from atalaia.upstreams.service import token_rows
from atalaia.upstreams.service.breakers import TOPIC as BREAKER_TOPIC
from atalaia.upstreams.service.breakers import BreakerBook, StoreBreaker
from atalaia.upstreams.service.recording import Recorder
from atalaia.upstreams.service.tokens import KeptTokens, TokenKeeper
from atalaia.upstreams.service.upkeep import Upkeep
from atalaia.upstreams.service.upstreams import Actor, UpstreamsService
from atalaia.upstreams.settings import SETTINGS
from atalaia.web.pages import Pages

MIGRATIONS = Path(__file__).parent / "migrations"


class Clients:
    """One client for each upstream and account, shared by all who use it."""

    def __init__(
        self, registry: Registry, *, http: HttpClient, clock: Clock, book: BreakerBook, recorder: Recorder
    ) -> None:
        self._registry = registry
        self._http = http
        self._clock = clock
        self._book = book
        self._recorder = recorder
        self._made: dict[Key, UpstreamClient] = {}
        self.keeper: TokenKeeper | None = None

    def of(self, name: str, account: str = "default") -> UpstreamClient:
        """Raises: NotFound."""
        registered = self._registry.find(name)
        key = (name, account)
        if key not in self._made:
            ports = Ports(KeptTokens(self._keeper, key), StoreBreaker(self._book, name), self._recorder)
            self._made[key] = UpstreamClient(
                registered.declaration,
                http=self._http,
                ports=ports,
                clock=self._clock,
                account=account,
                trust=registered.trust,
            )
        return self._made[key]

    def _keeper(self) -> TokenKeeper:
        assert self.keeper is not None  # noqa: S101 - set below, once both are made
        return self.keeper


@dataclass(frozen=True, slots=True)
class Upstreams:
    """`metrics` is for the hub's registry."""

    contribution: Contribution
    service: UpstreamsService
    metrics: Collector
    clients: Clients
    book: BreakerBook

    def client(self, name: str, account: str = "default") -> Upstream:
        """Raises: NotFound."""
        return self.clients.of(name, account)

    def blocked_s(self, name: str, account: str = "default") -> float:
        """How long nothing that needs this upstream should be begun; 0: go. Cheap, without the store."""
        return self.book.blocked_s((name, account))

    async def token_status(self, name: str) -> TokenStatus:
        return await self.service.token_status(name)

    async def keep_token(self, name: str, token: Secret, *, by: Principal, client: str | None) -> None:
        """Raises: InvalidField (token)."""
        await self.service.keep_token(name, token.reveal(), Actor(by, client))


def wire(
    *,
    store: Store,
    clock: Clock,
    settings: Settings,
    sealer: Sealer,
    http: HttpClient,
    pages: Pages,
    declarations: Sequence[Registered],
) -> Upstreams:
    """`http` is closed when the slice stops."""
    registry = Registry({each.declaration.name: each for each in declarations})
    metrics = UpstreamMetrics()
    recorder = Recorder(store, clock=clock, metrics=metrics)
    book = BreakerBook(store, clock=clock, registry=registry, wake=recorder.wake.set)
    recorder.book = book
    clients = Clients(registry, http=http, clock=clock, book=book, recorder=recorder)
    keeper = TokenKeeper(store, clock=clock, sealer=sealer, registry=registry, client_of=clients.of)
    clients.keeper = keeper
    upkeep = Upkeep(store, clock=clock, settings=settings, registry=registry, tokens=keeper)
    service = UpstreamsService(store, clock=clock, registry=registry, book=book, tokens=keeper, recorder=recorder)
    pages.banners.append(service.banners)
    metrics.now, metrics.expiries = clock.now, upkeep.expiries
    metrics.breakers = book.phases
    contribution = _contribution(
        service, store=store, http=http, book=book, keeper=keeper, recorder=recorder, upkeep=upkeep
    )
    return Upstreams(contribution, service, metrics, clients, book)


def _contribution(
    service: UpstreamsService,
    *,
    store: Store,
    http: HttpClient,
    book: BreakerBook,
    keeper: TokenKeeper,
    recorder: Recorder,
    upkeep: Upkeep,
) -> Contribution:
    def on_topic(topic: str, id: str) -> None:
        if topic == token_rows.TOPIC:
            keeper.forget(id)
        elif topic == BREAKER_TOPIC:
            book.is_stale = True

    unsubscribe = store.live.subscribe(on_topic)

    async def start() -> None:
        await book.refresh()
        await upkeep.look()

    async def stop() -> None:
        unsubscribe()
        await keeper.stop()
        await recorder.flush()
        await http.aclose()

    return Contribution(
        name="upstreams",
        audit_words=AUDIT_WORDS,
        routes=(*api.ROUTES, *page_routes.ROUTES),
        dependencies={"upstreams": Provide(lambda: service, sync_to_thread=False)},
        loops=upstream_loops(recorder, book, upkeep),
        metadata=tables.metadata,
        migrations=MIGRATIONS,
        nav=(
            NavItem(
                "connect",
                N_("Upstreams"),
                "/upstreams",
                Permission.UPSTREAMS_READ,
                order=10,
                icon="plug",
                badge=lambda: len(service.failing()),
                badge_state="down",
            ),
        ),
        searches=(SearchSource(Permission.UPSTREAMS_READ, service.search),),
        health=(HealthItem("upstreams", lambda: not service.failing(), degrades=False),),
        settings=SETTINGS,
        start=start,
        stop=stop,
    )
