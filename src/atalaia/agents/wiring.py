"""What agents give to the hub."""

from pathlib import Path

from litestar.di import Provide

from atalaia.access.authenticator import Authenticator
from atalaia.agents.api.agents import ROUTES
from atalaia.agents.api.wire import AgentWire
from atalaia.agents.loops import loops
from atalaia.agents.service import AgentsService
from atalaia.agents.tables import metadata
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.sdk.contribution import Contribution, NavItem

MIGRATIONS = Path(__file__).parent / "migrations"


def wire(*, agents: AgentsService, authenticator: Authenticator) -> Contribution:
    """`agents` is made by the composition root (AgentsService), since slices above call it too."""
    return Contribution(
        name="agents",
        routes=ROUTES,
        dependencies={"agents": Provide(lambda: agents, sync_to_thread=False)},
        hot_routes=AgentWire(agents, authenticator).routes(),
        loops=loops(agents),
        metadata=metadata,
        migrations=MIGRATIONS,
        nav=(NavItem("watch", N_("Agents"), "/agents", Permission.AGENTS_READ, order=60),),
        release=agents.plans.release,
    )
