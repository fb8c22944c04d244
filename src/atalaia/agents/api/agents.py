"""JSON API of agents, and what a new one needs: its file and its key."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from atalaia.access.guards import requires
from atalaia.agents.model.agents import Agent, AgentState, Enrolment
from atalaia.agents.model.wire import Status
from atalaia.agents.pyz import agent_file
from atalaia.agents.service import AgentsService
from atalaia.agents.service.enrolling import DEFAULT_TTL_S, Enrolled, NewEnrolment
from atalaia.core.clock import SystemClock
from atalaia.core.errors import BadInput
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_
from atalaia.web.cursors import DEFAULT_LIMIT, MAX_LIMIT, Listing

Limit = Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)]
Cursor = Annotated[str | None, QueryParameter(description="`next` of the page before")]
Agents = NamedDependency[AgentsService]
AnyRequest = Request[Any, Any, Any]
_clock = SystemClock()


class Caller(NamedTuple):
    principal: Principal
    address: str | None


def caller_of(request: AnyRequest) -> Caller:
    state = request.scope["state"]
    return Caller(state["principal"], state.get("client"))


class AgentOut(msgspec.Struct, frozen=True, kw_only=True):
    """`clock_skew_ms`: the hub's clock less the agent's at its last batch; `clock_off` when that is over a minute."""

    id: str
    name: str
    state: AgentState
    hostname: str
    version: str
    python: str
    platform: str
    first_seen_at: datetime
    last_seen_at: datetime | None
    silent_since: datetime | None
    retired_at: datetime | None
    enrolled: bool
    probes: int
    status: Status
    lag_ms: int | None
    clock_skew_ms: float | None
    clock_off: bool


class AgentChange(msgspec.Struct, forbid_unknown_fields=True):
    """`retired: false` takes a retired agent back."""

    name: str | None = None
    retired: bool | None = None


class EnrolmentIn(msgspec.Struct, forbid_unknown_fields=True):
    name: str | None = None
    ttl_s: int = DEFAULT_TTL_S
    uses: int = 1


class EnrolIn(msgspec.Struct):
    token: str
    name: str | None = None
    hostname: str = ""


def shown(agent: Agent) -> AgentOut:
    return AgentOut(
        id=agent.id,
        name=agent.name,
        state=agent.state(_clock.now()),
        hostname=agent.hostname,
        version=agent.version,
        python=agent.python,
        platform=agent.platform,
        first_seen_at=agent.first_seen_at,
        last_seen_at=agent.last_seen_at,
        silent_since=agent.silent_since,
        retired_at=agent.retired_at,
        enrolled=agent.is_enrolled,
        probes=agent.probes,
        status=agent.seen.status,
        lag_ms=agent.seen.lag_ms,
        clock_skew_ms=agent.seen.clock_skew_ms,
        clock_off=agent.seen.is_clock_off,
    )


@get("/api/agents", guards=[requires(Permission.AGENTS_READ)], tags=["agents"], summary="Agents, by name")
async def list_agents(
    agents: Agents, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT, retired: FromQuery[bool] = False
) -> Listing[AgentOut]:
    items, following = await agents.page(cursor=cursor, limit=limit, with_retired=retired)
    return Listing([shown(agent) for agent in items], following)


@get(
    "/api/agents/{agent_id:str}",
    guards=[requires(Permission.AGENTS_READ)],
    tags=["agents"],
    summary="One agent, by id or name",
)
async def get_agent(agents: Agents, agent_id: FromPath[str]) -> AgentOut:
    return shown(await agents.get(agent_id))


@patch(
    "/api/agents/{agent_id:str}",
    guards=[requires(Permission.AGENTS_WRITE)],
    tags=["agents"],
    summary="Rename an agent, retire it or take it back",
)
async def change_agent(
    agents: Agents, agent_id: FromPath[str], data: JSONBody[AgentChange], request: AnyRequest
) -> AgentOut:
    caller = caller_of(request)
    if data.name is not None:
        await agents.rename(caller.principal, agent_id, data.name, address=caller.address)
    if data.retired is True:
        await agents.retire(caller.principal, agent_id, address=caller.address)
    elif data.retired is False:
        await agents.take_back(caller.principal, agent_id, address=caller.address)
    return shown(await agents.get(agent_id))


@delete(
    "/api/agents/{agent_id:str}",
    guards=[requires(Permission.AGENTS_WRITE)],
    tags=["agents"],
    summary="Retire an agent: its measurements stay, it is refused from now on, and its own key ends",
)
async def retire_agent(agents: Agents, agent_id: FromPath[str], request: AnyRequest) -> None:
    caller = caller_of(request)
    await agents.retire(caller.principal, agent_id, address=caller.address)


@get(
    "/api/agents/enrolments",
    guards=[requires(Permission.AGENTS_READ)],
    tags=["agents"],
    summary="Enrolment tokens in force, without their values",
)
async def list_enrolments(agents: Agents) -> Listing[Enrolment]:
    return Listing(await agents.enrolling.in_force())


@post(
    "/api/agents/enrolments",
    guards=[requires(Permission.AGENTS_WRITE)],
    tags=["agents"],
    summary="A token for new agents, shown this once, with the line to paste",
)
async def create_enrolment(agents: Agents, data: JSONBody[EnrolmentIn], request: AnyRequest) -> NewEnrolment:
    caller = caller_of(request)
    return await agents.enrolling.offer(
        caller.principal, name=data.name, ttl_s=data.ttl_s, uses=data.uses, address=caller.address
    )


@delete(
    "/api/agents/enrolments/{enrolment_id:str}",
    guards=[requires(Permission.AGENTS_WRITE)],
    tags=["agents"],
    summary="Withdraw an enrolment token",
)
async def withdraw_enrolment(agents: Agents, enrolment_id: FromPath[str], request: AnyRequest) -> None:
    caller = caller_of(request)
    await agents.enrolling.withdraw(caller.principal, enrolment_id, address=caller.address)


@post(
    "/api/agents/enrol",
    guards=[requires(Permission.PUBLIC)],
    tags=["agents"],
    summary="For the agent itself: a token becomes an agent with a key of its own",
)
async def enrol(agents: Agents, data: JSONBody[EnrolIn], request: AnyRequest) -> Enrolled:
    if "\0" in f"{data.name}{data.hostname}":
        raise BadInput(N_("control characters are not possible here"))
    return await agents.enrolling.enrol(
        token=data.token, name=data.name, hostname=data.hostname[:200], address=request.scope["state"].get("client")
    )


@get("/agent.pyz", guards=[requires(Permission.PUBLIC)], include_in_schema=False)
async def download_agent() -> Response[bytes]:
    file = await asyncio.to_thread(agent_file)
    headers = {
        "content-disposition": 'attachment; filename="atalaia-agent.pyz"',
        "etag": f'"{file.sha256}"',
        "cache-control": "no-cache",
        "x-checksum-sha256": file.sha256,
    }
    return Response(file.content, media_type="application/zip", headers=headers)


ROUTES = (
    list_agents,
    get_agent,
    change_agent,
    retire_agent,
    list_enrolments,
    create_enrolment,
    withdraw_enrolment,
    enrol,
    download_agent,
)
