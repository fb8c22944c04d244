"""The explorer: any metric as a chart, its series, and how forwarding stands."""

from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from atalaia.access.guards import requires
from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.metrics.rollup import AGGREGATIONS
from atalaia.metrics.selectors import parse_selectors
from atalaia.metrics.service.metrics import MetricsService
from atalaia.web.pages import AnyRequest, Pages

PATH = "/explore"
SERIES_SHOWN = 20
NAMES_SHOWN = 1000


@get(PATH, guards=[requires(Permission.METRICS_READ)], include_in_schema=False)
async def explore_page(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    metrics: NamedDependency[MetricsService],
    metric: FromQuery[str] = "",
    labels: Annotated[str, QueryParameter(max_length=2_000)] = "",
    agg: FromQuery[str] = "avg",
) -> Response[str]:
    names = await metrics.names(search="", after="", limit=NAMES_SHOWN)
    known = next((name for name in names if name.name == metric), None)
    series = await metrics.series(metric=metric, after=0, limit=SERIES_SHOWN) if known else []
    return await pages.page(
        request,
        "metrics/explore.html",
        rows=len(series) + len(names),
        title=pages.translator(request).translate("Metrics"),
        names=names,
        known=known,
        metric=metric,
        labels=labels,
        agg=agg,
        aggregations=[(name, name) for name in AGGREGATIONS],
        error=_error(pages, request, labels),
        source=f"/api/series/query?{urlencode({'metric': metric, 'labels': labels, 'agg': agg})}",
        series=[{"labels": _shown(dict(row.series.labels))} for row in series],
        more=bool(known and known.series > SERIES_SHOWN),
        targets=metrics.targets(),
    )


def _shown(labels: dict[str, str]) -> dict[str, str]:
    """Without an id whose name stands beside it."""
    return {name: value for name, value in labels.items() if f"{name}_name" not in labels}


def _error(pages: Pages, request: AnyRequest, labels: str) -> str | None:
    """What is wrong with the filter, if anything is."""
    try:
        parse_selectors(labels)
    except InvalidField as error:
        return pages.translator(request).translate(error.message, **dict[str, Any](error.params))
    return None


ROUTES = (explore_page,)
