"""The slices, each with what it needs from the ones below: this is the whole wiring."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from atalaia.access import options as access_options
from atalaia.access import wiring as access_wiring
from atalaia.access.wiring import Access
from atalaia.agents import wiring as agents_wiring
from atalaia.agents.service import AgentsService
from atalaia.app import options as app_options
from atalaia.app.contexts import Contexts
from atalaia.app.declared_upstreams import declared_upstreams
from atalaia.app.frame_sources import frame_sources
from atalaia.app.host import HostParts
from atalaia.app.hub_jobs import HubJobs
from atalaia.app.integrations import integration_settings, set_up, unreadable_integrations
from atalaia.app.kept_keys import kept_keys
from atalaia.app.snapshots import pages as snapshot_pages
from atalaia.app.snapshots.gathering import Sources
from atalaia.app.snapshots.keeping import Snapshots
from atalaia.captures import wiring as captures_wiring
from atalaia.captures.wiring import Captures
from atalaia.core import log_files
from atalaia.core.clock import Clock
from atalaia.core.settings import Setting, Settings, load_settings
from atalaia.home import wiring as home_wiring
from atalaia.integrations import Loaded, find_integrations
from atalaia.jobs import settings as jobs_settings
from atalaia.jobs import wiring as jobs_wiring
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.wiring import Jobs
from atalaia.metrics import settings as metrics_settings
from atalaia.metrics import wiring as metrics_wiring
from atalaia.metrics.own import OwnMetrics
from atalaia.metrics.service.metrics import MetricsService
from atalaia.notify import wiring as notify_wiring
from atalaia.notify.wiring import Notify
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient
from atalaia.pings import settings as pings_settings
from atalaia.pings import wiring as pings_wiring
from atalaia.pings.service import PingsService
from atalaia.sdk.contribution import Contribution
from atalaia.signals import settings as signals_settings
from atalaia.signals import wiring as signals_wiring
from atalaia.signals.wiring import Signals
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.upstreams import settings as upstreams_settings
from atalaia.upstreams import wiring as upstreams_wiring
from atalaia.upstreams.wiring import Upstreams
from atalaia.watch import settings as watch_settings
from atalaia.watch import wiring as watch_wiring
from atalaia.web.live import LiveStreams
from atalaia.web.pages import Pages


@dataclass(frozen=True, slots=True)
class Base:
    """What the hub itself has, for any slice that asks."""

    store: Store
    clock: Clock
    settings: Settings
    sealer: Sealer
    pages: Pages
    live: LiveStreams
    public_url: str
    data_dir: Path
    is_leader: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Slices:
    contributions: Sequence[Contribution]
    middleware: Sequence[Any]
    first_start_address: Callable[[], Awaitable[str | None]]
    own_metrics: OwnMetrics
    snapshots: Snapshots


def declared_settings() -> Sequence[Setting]:
    return (
        *app_options.SETTINGS,
        *access_options.SETTINGS,
        *jobs_settings.SETTINGS,
        *metrics_settings.SETTINGS,
        *pings_settings.SETTINGS,
        *signals_settings.SETTINGS,
        *upstreams_settings.SETTINGS,
        *watch_settings.SETTINGS,
        *integration_settings(),
    )


def read_settings(data_dir: Path) -> Settings:
    """The settings of file and environment; those of the page come from the store, once it is open."""
    return load_settings(declared_settings(), data_dir=data_dir, unreadable=unreadable_integrations())


def wire_slices(base: Base) -> Slices:
    """From the lowest to the highest."""
    http = HttpClient(Guard(allow_private=bool(base.settings.get("hub.allow_private_targets"))))

    def can_mail() -> bool:
        return watching.notify.can_mail()  # wired below, asked once the hub runs

    access = access_wiring.wire(
        store=base.store,
        clock=base.clock,
        settings=base.settings,
        sealer=base.sealer,
        public_url=base.public_url,
        can_mail=can_mail,
    )
    captures = captures_wiring.wire(store=base.store, clock=base.clock, sources=frame_sources)
    upstreams = upstreams_wiring.wire(
        store=base.store,
        clock=base.clock,
        settings=base.settings,
        sealer=base.sealer,
        http=http,
        pages=base.pages,
        declarations=declared_upstreams(base.settings),
    )
    watching = _wire_watching(base, access=access, http=http)
    registry = watching.metrics.own.registry
    registry.register(upstreams.metrics)
    registry.register(watching.agents.metrics)
    found = find_integrations()
    acting = _wire_acting(
        base, found, access=access, upstreams=upstreams, captures=captures, registry=registry, http=http
    )
    below = [
        access.contribution,
        kept_keys(base.store, base.settings, clock=base.clock),
        upstreams.contribution,
        captures.contribution,
        *watching.contributions,
        *acting.contributions,
    ]
    integrations = set_up(found, _host_parts(base, acting, upstreams, watching), pages=base.pages, below=below)
    home = home_wiring.wire(
        store=base.store,
        clock=base.clock,
        settings=base.settings,
        sealer=base.sealer,
        log_folder=base.data_dir / log_files.FOLDER,
        agents=watching.agents,
        searches=[source for part in below for source in part.searches],
        integrations=[status.section() for status in integrations],
    )
    snapshots = _wire_snapshots(base, watching, acting, captures)
    own = [home, snapshots.contribution(routes=snapshot_pages.ROUTES, nav=snapshot_pages.NAV)]
    contributions = [*below, *(status.contribution for status in integrations), *own]
    return Slices(contributions, [access.middleware], access.first_start_address, watching.metrics.own, snapshots)


def _host_parts(base: Base, acting: "_Acting", upstreams: Upstreams, watching: "_Watching") -> HostParts:
    return HostParts(
        base.store,
        base.clock,
        base.settings,
        base.sealer,
        base.public_url,
        acting.jobs,
        acting.hub_jobs,
        upstreams,
        acting.signals,
        watching.notify.kinds,
        watching.notify.direct,
    )


@dataclass(frozen=True, slots=True)
class _Watching:
    agents: AgentsService
    metrics: MetricsService
    notify: Notify
    contributions: Sequence[Contribution]


def _wire_watching(base: Base, *, access: Access, http: HttpClient) -> _Watching:
    """What measures, judges and tells."""
    store, clock, settings = base.store, base.clock, base.settings
    agents = AgentsService(store, clock=clock, sealer=base.sealer, public_url=base.public_url)
    metrics = metrics_wiring.make_service(store, settings=settings, clock=clock, http=lambda: http)
    notify = notify_wiring.wire(
        store=store,
        clock=clock,
        settings=settings,
        sealer=base.sealer,
        pages=base.pages,
        public_url=lambda: base.public_url,
    )
    pings = PingsService(store, metrics=metrics, settings=settings, clock=clock)
    watch = watch_wiring.wire(
        store=store,
        clock=clock,
        settings=settings,
        sealer=base.sealer,
        public_url=base.public_url,
        agents=agents,
        metrics=metrics,
    )
    contributions = (
        agents_wiring.wire(agents=agents, authenticator=access.authenticator),
        metrics_wiring.wire(metrics, authenticator=access.authenticator, settings=settings),
        notify.contribution,
        pings_wiring.wire(pings=pings, authenticator=access.authenticator),
        watch,
    )
    return _Watching(agents, metrics, notify, contributions)


@dataclass(frozen=True, slots=True)
class _Acting:
    jobs: Jobs
    hub_jobs: HubJobs
    signals: Signals
    contributions: Sequence[Contribution]


def _wire_acting(
    base: Base,
    found: Sequence[Loaded],
    *,
    access: Access,
    upstreams: Upstreams,
    captures: Captures,
    registry: CollectorRegistry,
    http: HttpClient,
) -> _Acting:
    """Jobs, what their types are given, the hub's own runner of some, and signals."""
    types = JobTypes()
    contexts = Contexts(
        captures.service, base.settings, upstreams=sorted(captures.service.upstreams()), live=base.store.live
    )
    contexts.register(types, found)
    jobs = jobs_wiring.wire(
        store=base.store,
        clock=base.clock,
        settings=base.settings,
        sealer=base.sealer,
        authenticator=access.authenticator,
        types=types,
        registry=registry,
        is_upstream_open=lambda name: upstreams.blocked_s(name) > 0,
        captures=captures.service,
        upstreams=upstreams.service,
        people=access.people,
        keys=access.keys,
        public_url=base.public_url,
    )
    own = HubJobs(jobs.service, types=types, upstream=upstreams.client)
    signals = signals_wiring.wire(
        store=base.store,
        clock=base.clock,
        settings=base.settings,
        sealer=base.sealer,
        authenticator=access.authenticator,
        creating=jobs.service.creating,
        http=http,
        registry=registry,
        public_url=base.public_url,
    )
    contributions = (jobs.contribution, contexts.contribution(), own.contribution(), signals.contribution)
    return _Acting(jobs, own, signals, contributions)


def _wire_snapshots(base: Base, watching: _Watching, acting: _Acting, captures: Captures) -> Snapshots:
    sources = Sources(
        store=base.store,
        clock=base.clock,
        data_dir=base.data_dir,
        public_url=base.public_url,
        registered=declared_upstreams(base.settings),
        workers=acting.jobs.service.workers,
        agents=watching.agents,
        captures=captures.service,
    )
    return Snapshots(sources)
