"""Upstreams for people and scripts: /api/upstreams."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromQuery, JSONBody, QueryParameter

from atalaia.access.guards import requires
from atalaia.core.clock import from_ms
from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.upstreams.api.shapes import (
    AccountIn,
    FailureOut,
    LineOut,
    NotesIn,
    SeriesOut,
    TokenGiven,
    UpstreamDetail,
    UpstreamOut,
    failure_out,
    operation_out,
    upstream_out,
)
from atalaia.upstreams.charts import LEAST_STEP_S, MAX_STEPS, Measure, lines_of
from atalaia.upstreams.edges import AnyRequest, Limit, Name, QueryText, Upstreams, actor_of
from atalaia.upstreams.model.views import Notes
from atalaia.web.cursors import DEFAULT_LIMIT, Listing

_TAGS = ["Upstreams"]
_READ = [requires(Permission.UPSTREAMS_READ)]
_WRITE = [requires(Permission.UPSTREAMS_WRITE)]
Milliseconds = Annotated[int, QueryParameter(ge=0, le=253_402_300_799_000)]
FromMs = Annotated[int, QueryParameter(name="from", ge=0, le=253_402_300_799_000)]


@get("/api/upstreams", guards=_READ, tags=_TAGS, summary="Third parties, the worst first")
async def list_upstreams(upstreams: Upstreams) -> Listing[UpstreamOut]:
    return Listing([upstream_out(view) for view in await upstreams.overview()])


@get("/api/upstreams/{name:str}", guards=_READ, tags=_TAGS, summary="One third party")
async def read_upstream(upstreams: Upstreams, name: Name) -> UpstreamDetail:
    shown = upstream_out(await upstreams.upstream(name))
    notes = await upstreams.notes(name)
    operations = [operation_out(each) for each in await upstreams.operations(name)]
    return UpstreamDetail(
        **msgspec.structs.asdict(shown), operations=operations, runbook=notes.runbook, contacts=notes.contacts
    )


@get("/api/upstreams/{name:str}/failures", guards=_READ, tags=_TAGS, summary="Its last failures, newest first")
async def list_failures(
    upstreams: Upstreams, name: Name, cursor: QueryText = None, limit: Limit = DEFAULT_LIMIT
) -> Listing[FailureOut]:
    found, after = await upstreams.failures(name, cursor=cursor, limit=limit)
    return Listing([failure_out(failure) for failure in found], after)


@get("/api/upstreams/{name:str}/series", guards=_READ, tags=_TAGS, summary="Latency or calls over time")
async def read_series(
    upstreams: Upstreams,
    name: Name,
    *,
    start: FromMs,
    to: Milliseconds,
    measure: FromQuery[Measure] = "p95",
    step: Annotated[float, QueryParameter(ge=1, le=86_400 * 31)] = 60,
) -> SeriesOut:
    """As of /api/series/query: times in ms; seconds for p50 and p95, calls a minute by outcome for calls."""
    step_s = max(step, LEAST_STEP_S)
    _check_range(from_ms(start), from_ms(to), step_s=step_s)
    from_at, to_at = from_ms(start // (step_s * 1000) * step_s * 1000), from_ms(to)
    minutes = await upstreams.steps(name, start=from_at, end=to_at, step_s=step_s)
    lines = lines_of(minutes, measure, start=from_at, end=to_at, step_s=step_s)
    return SeriesOut([LineOut(*line) for line in lines])


@put("/api/upstreams/{name:str}/token", guards=_WRITE, tags=_TAGS, status_code=204, summary="Keep a token by hand")
async def give_token(request: AnyRequest, upstreams: Upstreams, name: Name, data: JSONBody[TokenGiven]) -> None:
    await upstreams.keep_token(name, data.token, actor_of(request), account=data.account)


@post(
    "/api/upstreams/{name:str}/token/renew",
    guards=_WRITE,
    tags=_TAGS,
    status_code=204,
    summary="Log in now, whatever pause there is",
    responses={502: ResponseSpec(None, description="The third party refused the login", generate_examples=False)},
)
async def renew_token(request: AnyRequest, upstreams: Upstreams, name: Name, data: JSONBody[AccountIn]) -> None:
    await upstreams.renew_token(name, actor_of(request), account=data.account)


@post(
    "/api/upstreams/{name:str}/breaker/reset",
    guards=_WRITE,
    tags=_TAGS,
    status_code=204,
    summary="Let calls through again",
)
async def reset_breaker(request: AnyRequest, upstreams: Upstreams, name: Name, data: JSONBody[AccountIn]) -> None:
    await upstreams.reset_breaker(name, actor_of(request), account=data.account)


@put("/api/upstreams/{name:str}/notes", guards=_WRITE, tags=_TAGS, status_code=204, summary="Runbook and contacts")
async def write_notes(request: AnyRequest, upstreams: Upstreams, name: Name, data: JSONBody[NotesIn]) -> None:
    await upstreams.write_notes(name, Notes(data.runbook, data.contacts), actor_of(request))


def _check_range(start: datetime, end: datetime, *, step_s: float) -> None:
    """Raises: InvalidField."""
    if end <= start:
        raise InvalidField("to", N_("must be later than from"))
    if (end - start).total_seconds() / step_s > MAX_STEPS:
        raise InvalidField("step", N_("too many steps: choose a larger one"))


ROUTES = (
    list_upstreams,
    read_upstream,
    list_failures,
    read_series,
    give_token,
    renew_token,
    reset_breaker,
    write_notes,
)
