"""What captures give to the hub."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from litestar.di import Provide

from atalaia.captures import pages
from atalaia.captures.api import ROUTES
from atalaia.captures.audit_words import AUDIT_WORDS
from atalaia.captures.service import CapturesService, Sources
from atalaia.captures.tables import metadata
from atalaia.core.clock import Clock
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.sdk.contribution import Contribution, Found, NavItem, SearchSource
from atalaia.store.store import Store

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Captures:
    """`service.active_templates(upstream)` is for the context of workers and of the hub's own jobs."""

    contribution: Contribution
    service: CapturesService


def wire(*, store: Store, clock: Clock, sources: Sources) -> Captures:
    """`sources` gives the upstreams that have frames, by name, with what is built in for each."""
    service = CapturesService(store, clock=clock, sources=sources)
    contribution = Contribution(
        name="captures",
        audit_words=AUDIT_WORDS,
        routes=(*ROUTES, *pages.ROUTES),
        file_routes=("/api/captures",),
        dependencies={"captures": Provide(lambda: service, sync_to_thread=False)},
        metadata=metadata,
        migrations=MIGRATIONS,
        searches=(SearchSource(Permission.UPSTREAMS_READ, _finder(service)),),
        nav=(NavItem("connect", N_("Captures"), "/captures", Permission.UPSTREAMS_READ, order=60, icon="inbox"),),
    )
    return Captures(contribution, service)


def _finder(service: CapturesService) -> Callable[[str, int], Awaitable[Sequence[Found]]]:
    async def find(text: str, limit: int) -> list[Found]:
        found = await service.search(text, limit=limit)
        return [Found(N_("Capture"), each.name, f"/captures/{each.id}", each.upstream) for each in found]

    return find
