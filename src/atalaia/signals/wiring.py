"""What signals give to the hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from litestar.di import Provide
from prometheus_client import CollectorRegistry

from atalaia.access.authenticator import Authenticator
from atalaia.core.clock import Clock
from atalaia.core.permissions import Permission, Principal
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.jobs.service.creating import Creating
from atalaia.outbound.http import HttpClient
from atalaia.sdk.contribution import Contribution, HealthItem, HotRoute, NavItem, SearchSource
from atalaia.sdk.signals import SignalAddress, SignalStanding, SignalTask
from atalaia.signals import pages, tables
from atalaia.signals.api.hot import SignalRoutes
from atalaia.signals.api.signals import ROUTES
from atalaia.signals.audit_words import AUDIT_WORDS
from atalaia.signals.loops import signal_loops
from atalaia.signals.pages.edges import Around
from atalaia.signals.searches import find_signals
from atalaia.signals.service import SignalsService, own_tasks
from atalaia.signals.service.asking import Asking
from atalaia.signals.service.clocks import deciding_clock
from atalaia.signals.service.command_task import read_commands
from atalaia.signals.settings import SETTINGS
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Signals:
    contribution: Contribution
    service: SignalsService
    routes: SignalRoutes
    asking: Asking

    def take(
        self, integration: str, tasks: Sequence[SignalTask], addresses: Sequence[SignalAddress]
    ) -> Sequence[HotRoute]:
        """What an integration offers of signals: its tasks are there from now on; its kept addresses. Raises ConfigError."""
        self.service.register(integration, tasks)
        return [self.routes.address(each) for each in addresses]

    def forget(self, integration: str) -> None:
        """Of one that could not be set up after all."""
        self.service.tasks.forget(integration)

    async def of_task(self, task: str) -> Sequence[SignalStanding]:
        return await self.asking.of_task(task)

    async def look_now(self, task: str, *, by: Principal) -> bool:
        return await self.asking.look_now(task, by=by)


def wire(
    *,
    store: Store,
    clock: Clock,
    settings: Settings,
    sealer: Sealer,
    authenticator: Authenticator,
    creating: Creating,
    http: HttpClient,
    registry: CollectorRegistry | None = None,
    public_url: str = "",
) -> Signals:
    """`creating` makes the jobs of the task `job`; `http` has the guard that decides where webhooks may lead.

    Raises ConfigError: a command of the settings that can't be run.
    """
    service = SignalsService(
        store,
        clock=clock,
        settings=settings,
        sealer=sealer,
        tasks=own_tasks(creating=creating, http=http, sealer=sealer, settings=settings),
        now_ms=deciding_clock(store, clock),
    )
    routes = SignalRoutes(service, authenticator)
    around = Around(public_url, sorted(read_commands(settings)))
    if registry is not None:
        registry.register(service.counting)
    contribution = Contribution(
        name="signals",
        audit_words=AUDIT_WORDS,
        routes=(*ROUTES, *pages.ROUTES),
        dependencies={
            "signals": Provide(lambda: service, sync_to_thread=False),
            "around_signals": Provide(lambda: around, sync_to_thread=False),
        },
        nav=(NavItem("act", N_("Signals"), "/signals", Permission.SIGNALS_READ, order=30, icon="pulse"),),
        hot_routes=(routes.route(),),
        loops=signal_loops(service),
        metadata=tables.metadata,
        migrations=MIGRATIONS,
        searches=(SearchSource(Permission.SIGNALS_READ, find_signals(service)),),
        health=(HealthItem("signals", service.judging.is_well, degrades=False),),
        settings=SETTINGS,
        start=service.start,
        release=service.running.release,
        stop=service.stop,
    )
    return Signals(contribution, service, routes, Asking(store, service))
