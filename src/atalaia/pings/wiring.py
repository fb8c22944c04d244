"""What pings give to the hub."""

from pathlib import Path

from litestar.di import Provide

from atalaia.access.authenticator import Authenticator
from atalaia.agents.events import RecordsReceived
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.pings import pages
from atalaia.pings.api.ping import PingRoute
from atalaia.pings.api.stats import ROUTES
from atalaia.pings.service import PingsService
from atalaia.pings.settings import SETTINGS
from atalaia.pings.tables import metadata
from atalaia.sdk.contribution import Contribution, Loop, NavItem

MIGRATIONS = Path(__file__).parent / "migrations"
METER_PERIOD_S = 1.0
CLEAR_PERIOD_S = 300.0


def wire(*, pings: PingsService, authenticator: Authenticator) -> Contribution:
    """`pings` is made by the composition root: PingsService(store, metrics=…, settings=…, clock=…)."""
    return Contribution(
        name="pings",
        routes=(*ROUTES, *pages.ROUTES),
        dependencies={"pings": Provide(lambda: pings, sync_to_thread=False)},
        hot_routes=(PingRoute(pings, authenticator).route(),),
        loops=(
            Loop("pings.meter", METER_PERIOD_S, pings.meter.hand_over, leader_only=False),
            Loop("pings.clear_away", CLEAR_PERIOD_S, pings.clear_away),
        ),
        handlers=((RecordsReceived, pings.reporting.on_records),),
        metadata=metadata,
        migrations=MIGRATIONS,
        nav=(NavItem("watch", N_("Latency"), "/latency", Permission.METRICS_READ, order=50),),
        settings=SETTINGS,
        start=pings.receiving.start,
    )
