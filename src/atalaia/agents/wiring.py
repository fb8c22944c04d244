"""What agents give to the hub."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from litestar.di import Provide

from atalaia.access.authenticator import Authenticator
from atalaia.agents import pages
from atalaia.agents.api.agents import ROUTES
from atalaia.agents.api.wire import AgentWire
from atalaia.agents.audit_words import AUDIT_WORDS
from atalaia.agents.loops import loops
from atalaia.agents.service import AgentsService
from atalaia.agents.tables import metadata
from atalaia.agents.views import view_of
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.sdk.contribution import Contribution, Found, NavItem, SearchSource

MIGRATIONS = Path(__file__).parent / "migrations"


def wire(*, agents: AgentsService, authenticator: Authenticator) -> Contribution:
    """`agents` is made by the composition root (AgentsService), since slices above call it too."""
    return Contribution(
        name="agents",
        audit_words=AUDIT_WORDS,
        routes=(*ROUTES, *pages.ROUTES),
        dependencies={"agents": Provide(lambda: agents, sync_to_thread=False)},
        hot_routes=AgentWire(agents, authenticator).routes(),
        loops=loops(agents),
        metadata=metadata,
        migrations=MIGRATIONS,
        searches=(SearchSource(Permission.AGENTS_READ, _finder(agents)),),
        nav=(NavItem("watch", N_("Agents"), "/agents", Permission.AGENTS_READ, order=60),),
        release=agents.plans.release,
    )


def _finder(agents: AgentsService) -> Callable[[str, int], Awaitable[Sequence[Found]]]:
    async def find(text: str, limit: int) -> list[Found]:
        found = await agents.search(text, limit=limit)
        return [
            Found(N_("Agent"), each.agent.name, f"/agents/{each.agent.id}", each.agent.hostname, each.badge)
            for each in map(view_of, found)
        ]

    return find
