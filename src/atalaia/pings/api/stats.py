"""What pings add up to, as JSON."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.pings.model import RouteStats
from atalaia.pings.service import PingsService
from atalaia.pings.service.stats import MAX_HOURS

Hours = Annotated[int, QueryParameter(ge=1, le=MAX_HOURS)]


class PingStats(msgspec.Struct, frozen=True):
    items: list[RouteStats]


@get(
    "/api/ping/stats",
    guards=[requires(Permission.METRICS_READ)],
    tags=["pings"],
    summary="Per source: pings received, each once, and what the agents reported of their round trips",
)
async def ping_stats(pings: NamedDependency[PingsService], hours: Hours = 24) -> PingStats:
    return PingStats(await pings.stats.by_source(hours=hours))


ROUTES = (ping_stats,)
