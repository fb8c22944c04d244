"""What api and pages share of reading a request."""

from typing import Annotated, Any

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from atalaia.upstreams.service.upstreams import Actor, UpstreamsService
from atalaia.web.cursors import MAX_LIMIT
from atalaia.web.pages import Pages

AnyRequest = Request[Any, Any, Any]
Upstreams = NamedDependency[UpstreamsService]
ThePages = NamedDependency[Pages]
Name = FromPath[str]
QueryText = FromQuery[str | None]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]


def actor_of(request: AnyRequest) -> Actor:
    return Actor(request.scope["state"]["principal"], request.scope["state"].get("client"))
