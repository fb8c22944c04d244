"""What the slice gives to the hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from litestar.di import Provide

from atalaia.access.authenticator import Authenticator
from atalaia.core.clock import Clock
from atalaia.core.permissions import Permission
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.metrics import pages
from atalaia.metrics.api.imports import ImportRoute
from atalaia.metrics.api.questions import ROUTES
from atalaia.metrics.api.scraping import MetricsPage
from atalaia.metrics.catalog import Catalog
from atalaia.metrics.forwarding.forwarder import Forwarder
from atalaia.metrics.head import Head
from atalaia.metrics.own import OwnMetrics
from atalaia.metrics.service.ingest import Ingest
from atalaia.metrics.service.metrics import MetricsService
from atalaia.metrics.service.reading import Reader
from atalaia.metrics.service.rolling import Rolling
from atalaia.metrics.service.sealing import Sealing
from atalaia.metrics.settings import SETTINGS
from atalaia.metrics.tables import metadata
from atalaia.outbound.http import HttpClient
from atalaia.sdk.contribution import Contribution, HealthItem, Loop, NavItem
from atalaia.store.store import Store

MIGRATIONS = Path(__file__).parent / "migrations"
SEAL_PERIOD_S = 1.0
ROLL_PERIOD_S = 600.0
FORWARD_PERIOD_S = 0.5
CLEAN_UP_PERIOD_S = 3600.0


def make_service(store: Store, *, settings: Settings, clock: Clock, http: Callable[[], HttpClient]) -> MetricsService:
    """The service alone; `http` gives the client of the running event loop."""
    head = Head()
    forwarder = Forwarder(store, http, settings=settings, clock=clock)
    ingest = Ingest(store, Catalog(), head, settings=settings, clock=clock, forward=forwarder.enqueue)
    return MetricsService(
        store,
        ingest=ingest,
        reader=Reader(head),
        sealing=Sealing(store, head, settings=settings, clock=clock),
        rolling=Rolling(store, settings=settings, clock=clock),
        forwarder=forwarder,
        own=OwnMetrics(),
        clock=clock,
    )


def wire(metrics: MetricsService, *, authenticator: Authenticator, settings: Settings) -> Contribution:
    """`metrics` is made by `make_service`, since slices above need it too."""
    return Contribution(
        name="metrics",
        routes=(*ROUTES, *pages.ROUTES),
        dependencies={"metrics": Provide(lambda: metrics, sync_to_thread=False)},
        hot_routes=(ImportRoute(metrics, authenticator).route(), MetricsPage(metrics, authenticator).route()),
        loops=(
            Loop("metrics.seal", SEAL_PERIOD_S, metrics.sealing.run),
            Loop("metrics.roll_up", ROLL_PERIOD_S, metrics.rolling.run),
            Loop("metrics.own", settings.get("metrics.own_interval_s"), metrics.write_own),
            Loop("metrics.forward", FORWARD_PERIOD_S, metrics.forwarder.run),
            Loop("metrics.forward_clean_up", CLEAN_UP_PERIOD_S, metrics.forwarder.clean_up),
        ),
        metadata=metadata,
        migrations=MIGRATIONS,
        nav=(NavItem("watch", N_("Metrics"), pages.PATH, Permission.METRICS_READ, order=55),),
        health=(HealthItem("metrics_forwarding", lambda: metrics.forwarder.is_healthy),),
        settings=SETTINGS,
        start=metrics.start,
    )
