"""The latency page: from each source to each target."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.pings.service import PingsService
from atalaia.pings.service.reporting import RTT
from atalaia.pings.service.stats import MAX_HOURS, Route
from atalaia.web.pages import Pages

AnyRequest = Request[Any, Any, Any]
ThePages = NamedDependency[Pages]
Pings = NamedDependency[PingsService]
Hours = Annotated[int, QueryParameter(ge=1, le=MAX_HOURS)]
_READ = [requires(Permission.METRICS_READ)]
# More lines than that can't be told apart, and each is a request; the table has them all.
MAX_LINES = 12
_COLORS = 6


def _state(route: Route) -> str:
    """What the last report says, not the whole time: the page is looked at to know how it is."""
    if route.summary.last is None:
        return "unknown"
    return "up" if route.is_answered else "down"


async def _context(pings: PingsService, hours: int) -> dict[str, Any]:
    routes, received = await pings.stats.routes(hours=hours)
    sources = [(source, count) for source, count in sorted(received.items(), key=lambda each: each[0].location)]
    shown = [(_state(route), route) for route in routes]
    return {"routes": shown, "received": sources, "hours": hours, "rows": len(shown)}


@get("/latency", guards=_READ, include_in_schema=False)
async def latency_page(request: AnyRequest, pages: ThePages, pings: Pings, hours: Hours = 24) -> Response[str]:
    context = await _context(pings, hours)
    title = pages.translator(request).translate("Latency")
    series = _series([route for _, route in context["routes"]])
    return await pages.page(request, "pings/latency.html", title=title, series=series, **context)


@get("/latency/rows", guards=_READ, include_in_schema=False)
async def latency_rows(request: AnyRequest, pages: ThePages, pings: Pings, hours: Hours = 24) -> Response[str]:
    return await pages.fragment(request, "pings/_rows.html", **await _context(pings, hours))


def _series(routes: Sequence[Route]) -> list[dict[str, Any]]:
    """One line of the chart for each route."""
    return [
        {"label": f"{route.source.location} → {route.target}", "src": _address(route), "color": number % _COLORS + 1}
        for number, route in enumerate(routes[:MAX_LINES])
    ]


def _address(route: Route) -> str:
    labels = {
        "source_location": route.source.location,
        "source_datacenter": route.source.datacenter,
        "source_country": route.source.country,
        "target_location": route.target,
    }
    selectors = ",".join(f"{name}={_quoted(value)}" for name, value in labels.items())
    return "/api/series/query?" + urlencode({"metric": RTT, "labels": selectors, "agg": "avg"})


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


ROUTES = (latency_page, latency_rows)
