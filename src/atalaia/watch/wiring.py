"""What watch gives to the hub."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from litestar.di import Provide

from atalaia.access.audit import record
from atalaia.agents.events import AgentBack, AgentRetired, AgentSilent, RecordsReceived
from atalaia.agents.service import AgentsService
from atalaia.core.clock import Clock
from atalaia.core.events import Event
from atalaia.core.permissions import Permission
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.metrics.events import ForwardingResumed, ForwardingStalled
from atalaia.metrics.service.metrics import MetricsService
from atalaia.notify.events import ChannelRecovered, ChannelTroubled, MessageSettled
from atalaia.notify.model.notice import IncidentNotice, Told
from atalaia.notify.service.incidents import notify_incident
from atalaia.sdk.contribution import Contribution, NavItem, SearchSource
from atalaia.sdk.faults import FaultEnded, FaultReported
from atalaia.sdk.transaction import Tx
from atalaia.signals.events import (
    SignalAnswered,
    SignalRefused,
    SignalRefusedNoMore,
    SignalRunsFailing,
    SignalRunsWell,
    SignalUnanswered,
)
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.upstreams.events import UpstreamBack, UpstreamFailing
from atalaia.watch import tables
from atalaia.watch.api import checks, incidents, pings
from atalaia.watch.audit_words import AUDIT_WORDS
from atalaia.watch.below import AgentsFleet, MetricsLatency
from atalaia.watch.handlers import Handlers
from atalaia.watch.loops import watch_loops
from atalaia.watch.pages.checks import CheckPages
from atalaia.watch.pages.incidents import IncidentPages
from atalaia.watch.ports import Tell
from atalaia.watch.searches import find_checks, find_incidents
from atalaia.watch.service.checks import CheckBook
from atalaia.watch.service.deciding import Decider
from atalaia.watch.service.fleet import FleetWatch
from atalaia.watch.service.heartbeats import Heartbeats
from atalaia.watch.service.incidents import Incidents
from atalaia.watch.service.results import Results
from atalaia.watch.service.upkeep import Upkeep
from atalaia.watch.service.watch import WatchService
from atalaia.watch.settings import SETTINGS

MIGRATIONS = Path(__file__).parent / "migrations"


def wire(
    *,
    store: Store,
    clock: Clock,
    settings: Settings,
    sealer: Sealer,
    public_url: str,
    agents: AgentsService,
    metrics: MetricsService,
) -> Contribution:
    told = Incidents(tell=_teller(clock))
    decider = Decider(told)
    fleet = AgentsFleet(agents, clock=clock)
    book = CheckBook(fleet=fleet, sealer=sealer, decider=decider, incidents=told)
    service = WatchService(
        store,
        clock=clock,
        book=book,
        incidents=told,
        fleet=fleet,
        audit=record,
        latency=MetricsLatency(metrics),
        public_url=public_url,
    )
    heartbeats = Heartbeats(store, decider, write_samples=metrics.write_samples, clock=clock)
    handlers = Handlers(
        Results(decider, metrics.write_samples, metrics.own),
        FleetWatch(book=book, decider=decider, incidents=told),
        told,
        clock=clock,
    )
    return Contribution(
        name="watch",
        audit_words=AUDIT_WORDS,
        routes=(*checks.ROUTES, *incidents.ROUTES, CheckPages, IncidentPages),
        dependencies={"watch": Provide(lambda: service, sync_to_thread=False)},
        hot_routes=(pings.ping_route(heartbeats),),
        loops=watch_loops(heartbeats, Upkeep(store, book), settings=settings, clock=clock),
        handlers=_heard(handlers),
        metadata=tables.metadata,
        migrations=MIGRATIONS,
        nav=(
            NavItem("watch", N_("Checks"), "/checks", Permission.CHECKS_READ, order=10),
            NavItem("incidents", N_("Incidents"), "/incidents", Permission.INCIDENTS_READ, order=10),
        ),
        searches=(
            SearchSource(Permission.CHECKS_READ, find_checks(service)),
            SearchSource(Permission.INCIDENTS_READ, find_incidents(service)),
        ),
        settings=SETTINGS,
    )


def _teller(clock: Clock) -> Tell:
    def tell(tx: Tx, notice: IncidentNotice) -> Told:
        return notify_incident(tx, notice, now=clock.now())

    return tell


def _heard(handlers: Handlers) -> Sequence[tuple[type[Event], Callable[[Tx, Any], None]]]:
    """What of the slices below is heard, and who hears it."""
    return (
        (RecordsReceived, handlers.take_records),
        (AgentSilent, handlers.silent),
        (AgentBack, handlers.back),
        (AgentRetired, handlers.retired),
        (MessageSettled, handlers.message_settled),
        (ChannelTroubled, handlers.channel_troubled),
        (ChannelRecovered, handlers.channel_recovered),
        (ForwardingStalled, handlers.forwarding_stalled),
        (ForwardingResumed, handlers.forwarding_resumed),
        (UpstreamFailing, handlers.upstream_failing),
        (UpstreamBack, handlers.upstream_back),
        (SignalUnanswered, handlers.signal_unanswered),
        (SignalAnswered, handlers.signal_answered),
        (SignalRunsFailing, handlers.signal_runs_failing),
        (SignalRunsWell, handlers.signal_runs_well),
        (SignalRefused, handlers.signal_refused),
        (SignalRefusedNoMore, handlers.signal_refused_no_more),
        (FaultReported, handlers.fault_reported),
        (FaultEnded, handlers.fault_ended),
    )
