"""What home gives to the hub."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from litestar.di import Provide

from atalaia.agents.service import AgentsService
from atalaia.core.clock import Clock
from atalaia.core.permissions import Permission
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.home.audit_words import AUDIT_WORDS
from atalaia.home.log_pages import LOGS, HubLog
from atalaia.home.log_pages import ROUTES as LOG_ROUTES
from atalaia.home.overview import OverviewService
from atalaia.home.pages import ROUTES
from atalaia.home.parts import OverviewParts
from atalaia.home.search import Search
from atalaia.home.settings import IntegrationSection, SettingsService
from atalaia.sdk.contribution import Contribution, NavItem, SearchSource
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.watch.service.overview import WatchOverviews


def wire(
    *,
    store: Store,
    clock: Clock,
    settings: Settings,
    sealer: Sealer,
    log_folder: Path,
    agents: AgentsService,
    searches: Sequence[SearchSource],
    integrations: Sequence[IntegrationSection] = (),
) -> Contribution:
    overview = OverviewService(WatchOverviews(store), agents, clock=clock)
    services = {
        "overview_parts": OverviewParts(overview.read, clock=clock, live=store.live),
        "search": Search(searches),
        "hub_settings": SettingsService(store, settings, clock=clock, sealer=sealer, integrations=integrations),
        "hub_log": HubLog(log_folder),
    }
    return Contribution(
        name="home",
        audit_words=AUDIT_WORDS,
        routes=(*ROUTES, *LOG_ROUTES),
        dependencies={name: Provide(_giving(value), sync_to_thread=False) for name, value in services.items()},
        nav=(
            NavItem("overview", N_("Overview"), "/", Permission.OVERVIEW_READ, order=0),
            NavItem("admin", N_("Logs"), LOGS, Permission.LOGS_READ, order=80, icon="terminal"),
            NavItem("admin", N_("Settings"), "/settings", Permission.SETTINGS_READ, order=90),
        ),
    )


def _giving(value: Any) -> Callable[[], Any]:
    return lambda: value
