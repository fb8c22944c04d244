"""GET /api/series…: what series there are, and what is in them."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from atalaia.access.guards import requires
from atalaia.core.clock import to_ms
from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.metrics.api.answers import AnswerOut, write_answer
from atalaia.metrics.model import make_query, parse_aggregation, parse_duration, parse_instant
from atalaia.metrics.selectors import parse_selectors
from atalaia.metrics.service.metrics import MetricsService, NameOut, TargetOut
from atalaia.web.cursors import DEFAULT_LIMIT, MAX_LIMIT, Listing, decode_cursor, page_of

Metrics = NamedDependency[MetricsService]
_READS = [requires(Permission.METRICS_READ)]
Cursor = Annotated[str | None, QueryParameter()]
Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]


class SeriesOut(msgspec.Struct, frozen=True):
    id: int
    metric: str
    labels: dict[str, str]


@get("/api/series/query", guards=_READS, tags=["Metrics"], summary="Values of series over a time, step by step")
async def query_series(
    *,
    metrics: Metrics,
    metric: Annotated[str, QueryParameter(description="Name of the metric; needed", max_length=256)] = "",
    labels: Annotated[
        str,
        QueryParameter(
            max_length=2_000,
            description='name=value, name!=value, name=~regex, name!~regex with commas between (a value with a comma in "…"), '
            "or a JSON object",
        ),
    ] = "",
    from_: Annotated[
        str, QueryParameter(name="from", description="ISO 8601, seconds or milliseconds since the epoch, or -6h")
    ] = "-1h",
    to: Annotated[str, QueryParameter(description="As from; now unless given")] = "now",
    step: Annotated[str, QueryParameter(description="30s, 5m, 1h or seconds; unless given, some 300 steps")] = "",
    agg: Annotated[
        str,
        QueryParameter(
            description="avg, min, max, sum, count, last, p50, p95, p99, rate or increase, of each step; percentiles of days "
            "whose samples are gone are those of their minutes' means"
        ),
    ] = "avg",
) -> Response[AnswerOut]:
    if not metric:
        raise InvalidField("metric", "metric: say which")
    now_ms = to_ms(metrics.now())
    question = make_query(
        metric,
        tuple(parse_selectors(labels)),
        from_ms=parse_instant(from_, field="from", now_ms=now_ms),
        to_ms=parse_instant(to, field="to", now_ms=now_ms),
        step_ms=parse_duration(step, field="step") if step else None,
        aggregation=parse_aggregation(agg),
    )
    answer = await write_answer(question, await metrics.query(question))
    return Response(answer, media_type=MediaType.JSON)  # type: ignore[arg-type]  # written already


@get("/api/series", guards=_READS, tags=["Metrics"], summary="Series with their labels, by age")
async def list_series(
    metrics: Metrics, metric: FromQuery[str | None] = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Listing[SeriesOut]:
    after = decode_cursor(cursor, int)
    if after is not None and not 0 <= after[0] < 2**63:
        raise InvalidField("cursor", "cursor: not one of this list's")
    rows = await metrics.series(metric=metric, after=after[0] if after else 0, limit=limit + 1)
    page, following = page_of(rows, limit, lambda row: (row.id,))
    return Listing([SeriesOut(row.id, row.series.name, dict(row.series.labels)) for row in page], following)


@get("/api/series/names", guards=_READS, tags=["Metrics"], summary="Names of metrics, with type and help where known")
async def list_names(
    metrics: Metrics, q: FromQuery[str] = "", cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Listing[NameOut]:
    after = decode_cursor(cursor, str)
    rows = await metrics.names(search=q, after=after[0] if after else "", limit=limit + 1)
    page, following = page_of(rows, limit, lambda row: (row.name,))
    return Listing(page, following)


@get("/api/forwarding", guards=_READS, tags=["Metrics"], summary="How it stands with the targets of the forwarder")
async def list_targets(metrics: Metrics) -> Listing[TargetOut]:
    return Listing(metrics.targets())


ROUTES = (query_series, list_series, list_names, list_targets)
