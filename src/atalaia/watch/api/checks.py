"""JSON routes below /api/checks."""

from typing import Annotated, Any

from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from atalaia.access.guards import requires
from atalaia.core.permissions import Permission
from atalaia.watch.api.forms import CheckOut, CheckPatch, EventOut, TryOut, check_out, event_out, try_out
from atalaia.watch.edges import AnyRequest, Watch, actor_of, label_of, one_of
from atalaia.watch.model.checks import CheckKind, CheckSpec
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.values import Check, CheckFilter
from atalaia.watch.service.watch import WindowStats
from atalaia.web.cursors import DEFAULT_LIMIT, MAX_LIMIT, Listing, decode_cursor, page_of

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]


async def _shown(watch: Watch, check: Check) -> CheckOut:
    return check_out(check, await watch.agents_by_id(), public_url=watch.public_url)


@post("/api/checks", guards=[requires(Permission.CHECKS_WRITE)], tags=["Checks"])
async def add_check(data: JSONBody[CheckSpec], request: AnyRequest, watch: Watch) -> CheckOut:
    """Start to watch something."""
    return await _shown(watch, await watch.add_check(data, actor_of(request)))


@get("/api/checks", guards=[requires(Permission.CHECKS_READ)], tags=["Checks"])
async def list_checks(
    watch: Watch,
    in_state: Annotated[str | None, QueryParameter(name="state", schema_extra={"enum": list(CheckState)})] = None,
    kind: FromQuery[CheckKind | None] = None,
    agent: FromQuery[str | None] = None,
    label: FromQuery[str | None] = None,
    q: FromQuery[str | None] = None,
    cursor: FromQuery[str | None] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Listing[CheckOut]:
    """Newest first. `label` is `name=value`, `agent` a name or id, `q` a part of the name."""
    agents = await watch.agents_by_id()
    wanted = CheckFilter(
        state=one_of(CheckState, in_state, field="state"),
        kind=kind,
        agent_id=_agent_id(agents, agent),
        text=q,
        label=label_of(label),
    )
    after = decode_cursor(cursor, str)
    rows = await watch.checks(wanted, limit=limit, after=after[0] if after else None)
    page, following = page_of(rows, limit, lambda check: (check.id,))
    return Listing([check_out(check, agents, public_url=watch.public_url) for check in page], following)


def _agent_id(agents: dict[str, Any], name_or_id: str | None) -> str | None:
    """An unknown one is kept as it is: it has no checks."""
    return next((agent.id for agent in agents.values() if agent.name == name_or_id), name_or_id)


@get("/api/checks/{check_id:str}", guards=[requires(Permission.CHECKS_READ)], tags=["Checks"])
async def read_check(check_id: FromPath[str], watch: Watch) -> CheckOut:
    return await _shown(watch, await watch.check(check_id))


@patch("/api/checks/{check_id:str}", guards=[requires(Permission.CHECKS_WRITE)], tags=["Checks"])
async def change_check(
    check_id: FromPath[str], data: JSONBody[CheckPatch], request: AnyRequest, watch: Watch
) -> CheckOut:
    check = await watch.change_check(check_id, data.changes(), actor_of(request))
    return await _shown(watch, check)


@delete("/api/checks/{check_id:str}", guards=[requires(Permission.CHECKS_WRITE)], tags=["Checks"])
async def remove_check(check_id: FromPath[str], request: AnyRequest, watch: Watch) -> None:
    await watch.remove_check(check_id, actor_of(request))


@post("/api/checks/{check_id:str}/pause", status_code=200, guards=[requires(Permission.CHECKS_WRITE)], tags=["Checks"])
async def pause_check(check_id: FromPath[str], request: AnyRequest, watch: Watch) -> CheckOut:
    """Stop measuring; an open incident of it is closed."""
    return await _shown(watch, await watch.pause_check(check_id, actor_of(request), is_paused=True))


@post("/api/checks/{check_id:str}/resume", status_code=200, guards=[requires(Permission.CHECKS_WRITE)], tags=["Checks"])
async def resume_check(check_id: FromPath[str], request: AnyRequest, watch: Watch) -> CheckOut:
    """Measure again; the check is decided upon afresh."""
    return await _shown(watch, await watch.pause_check(check_id, actor_of(request), is_paused=False))


@post("/api/checks/{check_id:str}/try", status_code=200, guards=[requires(Permission.CHECKS_WRITE)], tags=["Checks"])
async def try_check(check_id: FromPath[str], watch: Watch) -> TryOut:
    """Measure once, now, on its agent; counts for nothing else."""
    return try_out(await watch.try_check(check_id))


@post("/api/checks/try", status_code=200, guards=[requires(Permission.CHECKS_WRITE)], tags=["Checks"])
async def try_spec(data: JSONBody[CheckSpec], watch: Watch) -> TryOut:
    """Measure once what could become a check."""
    return try_out(await watch.try_spec(data))


@get("/api/checks/{check_id:str}/stats", guards=[requires(Permission.CHECKS_READ)], tags=["Checks"])
async def check_stats(check_id: FromPath[str], watch: Watch) -> dict[str, WindowStats]:
    """Uptime (0 to 1) and latency by window: 24h, 7d, 30d, 90d, 365d."""
    return await watch.stats(check_id)


@get("/api/checks/{check_id:str}/events", guards=[requires(Permission.CHECKS_READ)], tags=["Checks"])
async def check_events(
    check_id: FromPath[str], watch: Watch, cursor: FromQuery[str | None] = None, limit: Limit = DEFAULT_LIMIT
) -> Listing[EventOut]:
    """Changes of state and of the check itself, newest first."""
    await watch.check(check_id)
    after = decode_cursor(cursor, str)
    rows = await watch.events(check_id, limit=limit, after=after[0] if after else None)
    page, following = page_of(rows, limit, lambda event: (event.id,))
    return Listing([event_out(event) for event in page], following)


ROUTES = (
    add_check,
    list_checks,
    read_check,
    change_check,
    remove_check,
    pause_check,
    resume_check,
    try_check,
    try_spec,
    check_stats,
    check_events,
)
