"""What jobs give to the hub."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec
from litestar.di import Provide
from prometheus_client import CollectorRegistry

from atalaia.access.authenticator import Authenticator
from atalaia.access.service.keys import KeyService
from atalaia.access.service.people import PeopleService
from atalaia.captures.service import CapturesService
from atalaia.core.clock import Clock
from atalaia.core.errors import NotFound
from atalaia.core.permissions import Permission, Principal
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.jobs import pages as page_routes
from atalaia.jobs import tables
from atalaia.jobs.api import jobs as job_routes
from atalaia.jobs.api import workers as worker_routes
from atalaia.jobs.api.events import JobEvents
from atalaia.jobs.api.hot import HotJobs
from atalaia.jobs.audit_words import AUDIT_WORDS
from atalaia.jobs.loops import job_loops
from atalaia.jobs.model.types import JobTypes
from atalaia.jobs.pages.edges import Around
from atalaia.jobs.searches import find_jobs
from atalaia.jobs.service import JobsService
from atalaia.jobs.service.following import Following
from atalaia.jobs.service.tickets import Tickets
from atalaia.jobs.settings import SETTINGS
from atalaia.sdk.contribution import Contribution, HealthItem, NavItem, SearchSource
from atalaia.sdk.integration import JobStanding, NewJob
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.upstreams.service.upstreams import UpstreamsService

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Jobs:
    """`service` is for pages and for whoever runs the hub's own jobs (service.lease, renew, complete)."""

    contribution: Contribution
    service: JobsService
    types: JobTypes
    tickets: Tickets

    async def enqueue(
        self,
        type: str,
        payload_raw: str,
        *,
        by: Principal,
        idempotency_key: str | None = None,
        unique_key: str | None = None,
    ) -> NewJob:
        """As the host of integrations asks for it. Raises InvalidField, ReusedKey."""
        made = await self.service.enqueue(
            type, payload_raw, by=by, idempotency_key=idempotency_key, unique_key=unique_key
        )
        return NewJob(made.id, made.status, made.is_new)

    async def standing(self, id: str, *, types: Collection[str]) -> JobStanding | None:
        """None: there is no such job, or it is of another type."""
        try:
            job = await self.service.reading.job(id)
        except NotFound:
            return None
        if job.type not in types:
            return None
        last = job.steps[-1] if job.steps else None
        data = msgspec.json.decode(last.data) if last else {}
        error = job.error.message if job.error else None
        return JobStanding(job.id, str(job.status), last.name if last else "", data, error)

    def events_ticket(self, job_id: str) -> str:
        """The path of a job's events, with a ticket in it."""
        return f"/events/{job_id}?ticket={self.tickets.make(job_id)}"


def wire(
    *,
    store: Store,
    clock: Clock,
    settings: Settings,
    sealer: Sealer,
    authenticator: Authenticator,
    types: JobTypes,
    registry: CollectorRegistry | None = None,
    is_upstream_open: Callable[[str], bool] = lambda _upstream: False,
    captures: CapturesService | None = None,
    upstreams: UpstreamsService | None = None,
    people: PeopleService | None = None,
    keys: KeyService | None = None,
    public_url: str = "",
) -> Jobs:
    """`is_upstream_open(name)`: its breaker is open, so that nothing of its types is leased; it must be quick.

    `captures` and all behind it are for the pages alone.
    """

    def is_held_back(type: str) -> bool:
        upstream = types.upstream_of(type)
        return upstream is not None and is_upstream_open(upstream)

    service = JobsService(store, clock=clock, settings=settings, types=types, is_held_back=is_held_back)
    tickets = Tickets(sealer, clock=clock)
    following = Following(store.live)
    around = Around(clock, public_url, captures, upstreams, people, keys)
    events = JobEvents(service, following, tickets)
    if registry is not None:
        registry.register(service.counting)

    async def start() -> None:
        await service.start()
        await following.start()

    def release() -> None:
        service.release()
        following.release()

    contribution = Contribution(
        name="jobs",
        audit_words=AUDIT_WORDS,
        routes=(
            *job_routes.ROUTES,
            *worker_routes.ROUTES,
            *page_routes.ROUTES,
            events.route(),
        ),
        dependencies={
            "jobs": Provide(lambda: service, sync_to_thread=False),
            "around_jobs": Provide(lambda: around, sync_to_thread=False),
        },
        nav=(
            NavItem("act", N_("Jobs"), "/jobs", Permission.JOBS_READ, order=10, icon="bolt"),
            NavItem("act", N_("Workers"), "/jobs/workers", Permission.JOBS_READ, order=20, icon="cpu"),
        ),
        hot_routes=HotJobs(service, authenticator, clock=clock).routes(),
        loops=job_loops(service),
        metadata=tables.metadata,
        migrations=MIGRATIONS,
        searches=(SearchSource(Permission.JOBS_READ, find_jobs(service)),),
        health=(HealthItem("jobs", service.counting.is_served, degrades=False),),
        settings=SETTINGS,
        start=start,
        release=release,
        stop=following.stop,
    )
    return Jobs(contribution, service, types, tickets)
