"""What handlers of pages are given."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.access.service.keys import KeyService
from atalaia.access.service.people import PeopleService
from atalaia.captures.service import CapturesService
from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError, NotFound
from atalaia.core.permissions import Permission
from atalaia.jobs.pages.words import retold
from atalaia.jobs.service import JobsService
from atalaia.jobs.service.control import Actor
from atalaia.upstreams.model.views import UpstreamView
from atalaia.upstreams.service.upstreams import UpstreamsService
from atalaia.web.pages import Pages

AnyRequest = Request[Any, Any, Any]
ThePages = NamedDependency[Pages]
Jobs = NamedDependency[JobsService]
JobId = FromPath[str]
QueryText = Annotated[str | None, QueryParameter()]
READ = [requires(Permission.JOBS_READ)]
CREATE = [requires(Permission.JOBS_CREATE)]


@dataclass(frozen=True, slots=True)
class Around:
    """What stands below jobs and is shown with them, where it is there."""

    clock: Clock
    public_url: str = ""
    captures: CapturesService | None = None
    upstreams: UpstreamsService | None = None
    people: PeopleService | None = None
    keys: KeyService | None = None

    async def upstream(self, name: str | None) -> UpstreamView | None:
        if name is None or self.upstreams is None:
            return None
        try:
            return await self.upstreams.upstream(name)
        except NotFound:
            return None

    async def name_of(self, principal_id: str) -> str:
        """Of a person or a key, as they are called now; of whoever is gone, the id."""
        key = await self.keys.find(principal_id) if self.keys is not None else None
        if key is not None or self.people is None:
            return key.name if key is not None else principal_id
        try:
            person = await self.people.get(principal_id)
        except NotFound:
            return principal_id
        return person.name or person.email


AroundJobs = NamedDependency[Around]


def actor_of(request: AnyRequest) -> Actor:
    return Actor(principal_of(request), client_of(request))


def words_of(error: AtalaiaError, request: AnyRequest, pages: Pages) -> str:
    translator = pages.translator(request)
    words = retold(translator.translate(error.message, **error.params), translator)
    return f"{words} {translator.translate(error.hint)}" if error.hint else words
