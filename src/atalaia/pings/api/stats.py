"""What pings add up to, as JSON."""

import msgspec
from litestar import get

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.pings.model import RouteStats
from atalaia.pings.service import PingsService


class PingStats(msgspec.Struct, frozen=True):
    items: list[RouteStats]


@get("/api/ping/stats", guards=[requires(Permission.METRICS_READ)])
async def ping_stats(pings: PingsService, hours: int = 24) -> PingStats:
    """Per source: pings received, each once, and what the agents reported of their round trips."""
    return PingStats(await pings.stats.by_source(hours=hours))


ROUTES = (ping_stats,)
