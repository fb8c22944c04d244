"""Pages of agents: the list, one agent, and the line that makes a new one."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.agents.service import AgentsService
from atalaia.agents.service.enrolling import DEFAULT_TTL_S
from atalaia.agents.views import view_of
from atalaia.core.errors import Conflict, InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.pages import Pages, see_other

AnyRequest = Request[Any, Any, Any]
ThePages = NamedDependency[Pages]
Agents = NamedDependency[AgentsService]
Cursor = Annotated[str | None, QueryParameter()]
PAGE_ROWS = 100
_READ = [requires(Permission.AGENTS_READ)]
_WRITE = [requires(Permission.AGENTS_WRITE)]
_LIFETIMES_S = ((3_600, N_("1 hour")), (DEFAULT_TTL_S, N_("1 day")), (7 * 86_400, N_("1 week")))


async def _listed(request: AnyRequest, agents: AgentsService, cursor: str | None, retired: str) -> dict[str, Any]:
    found, following = await agents.page(cursor=cursor, limit=PAGE_ROWS, with_retired=bool(retired))
    views = sorted(map(view_of, found), key=lambda view: ("unknown", "degraded", "up", "paused").index(view.badge))
    return {"views": views, "next": following, "params": dict(request.query_params), "rows": len(views)}


@get("/agents", guards=_READ, include_in_schema=False)
async def agents_page(
    request: AnyRequest, pages: ThePages, agents: Agents, cursor: Cursor = None, retired: FromQuery[str] = ""
) -> Response[str]:
    listed = await _listed(request, agents, cursor, retired)
    waiting = await agents.enrolling.in_force()
    title = pages.translator(request).translate("Agents")
    return await pages.page(request, "agents/agents.html", title=title, enrolments=waiting, **listed)


@get("/agents/rows", guards=_READ, include_in_schema=False)
async def agents_rows(
    request: AnyRequest, pages: ThePages, agents: Agents, cursor: Cursor = None, retired: FromQuery[str] = ""
) -> Response[str]:
    return await pages.fragment(request, "agents/_rows.html", **await _listed(request, agents, cursor, retired))


@get("/agents/new", guards=_WRITE, include_in_schema=False)
async def new_agent(request: AnyRequest, pages: ThePages) -> Response[str]:
    return await _new_form(request, pages)


@post("/agents/new", guards=_WRITE, include_in_schema=False)
async def make_line(request: AnyRequest, pages: ThePages, agents: Agents) -> Response[str]:
    form = {name: str(value) for name, value in (await request.form()).items()}
    try:
        made = await agents.enrolling.offer(
            principal_of(request),
            name=form.get("name", "").strip() or None,
            ttl_s=_whole("ttl_s", form.get("ttl_s") or str(DEFAULT_TTL_S)),
            uses=_whole("uses", form.get("uses") or "1"),
            address=client_of(request),
        )
    except InvalidField as error:
        words = pages.translator(request).translate(error.message, **dict[str, Any](error.params))
        return await _new_form(request, pages, values=form, errors={error.field: words}, status=422)
    title = pages.translator(request).translate("New agent")
    # Not a redirect: the token is shown this once and is in no address.
    return await pages.page(request, "agents/line.html", status=201, title=title, made=made)


@get("/agents/{agent_id:str}", guards=_READ, include_in_schema=False)
async def agent_page(request: AnyRequest, pages: ThePages, agents: Agents, agent_id: FromPath[str]) -> Response[str]:
    return await _one(request, pages, agents, agent_id)


@get("/agents/{agent_id:str}/facts", guards=_READ, include_in_schema=False)
async def agent_facts(request: AnyRequest, pages: ThePages, agents: Agents, agent_id: FromPath[str]) -> Response[str]:
    return await pages.fragment(request, "agents/_facts.html", is_part=True, view=view_of(await agents.get(agent_id)))


@post("/agents/{agent_id:str}/rename", guards=_WRITE, include_in_schema=False)
async def rename_agent(
    request: AnyRequest, pages: ThePages, agents: Agents, agent_id: FromPath[str]
) -> Response[str] | Redirect:
    name = str((await request.form()).get("name") or "")
    try:
        await agents.rename(principal_of(request), agent_id, name, address=client_of(request))
    except (InvalidField, Conflict) as error:
        words = pages.translator(request).translate(error.message, **dict[str, Any](error.params))
        return await _one(request, pages, agents, agent_id, name=name, errors={"name": words}, status=422)
    return see_other(f"/agents/{agent_id}")


@post("/agents/{agent_id:str}/retire", guards=_WRITE, include_in_schema=False)
async def retire_agent_form(request: AnyRequest, agents: Agents, agent_id: FromPath[str]) -> Redirect:
    await agents.retire(principal_of(request), agent_id, address=client_of(request))
    return see_other("/agents")


@post("/agents/{agent_id:str}/take-back", guards=_WRITE, include_in_schema=False)
async def take_back_agent(
    request: AnyRequest, pages: ThePages, agents: Agents, agent_id: FromPath[str]
) -> Response[str] | Redirect:
    try:
        await agents.take_back(principal_of(request), agent_id, address=client_of(request))
    except Conflict as error:
        words = pages.translator(request).translate(error.message, **dict[str, Any](error.params))
        return await _one(request, pages, agents, agent_id, errors={"": words}, status=409)
    return see_other(f"/agents/{agent_id}")


@post("/agents/enrolments/{enrolment_id:str}/withdraw", guards=_WRITE, include_in_schema=False)
async def withdraw_enrolment_form(request: AnyRequest, agents: Agents, enrolment_id: FromPath[str]) -> Redirect:
    await agents.enrolling.withdraw(principal_of(request), enrolment_id, address=client_of(request))
    return see_other("/agents")


async def _new_form(
    request: AnyRequest,
    pages: Pages,
    *,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    translate = pages.translator(request).translate
    return await pages.page(
        request,
        "agents/new.html",
        status=status,
        title=translate("New agent"),
        values={"name": "", "ttl_s": str(DEFAULT_TTL_S), "uses": "1", **(values or {})},
        errors=errors or {},
        lifetimes=[(str(seconds), translate(word)) for seconds, word in _LIFETIMES_S],
    )


async def _one(
    request: AnyRequest,
    pages: Pages,
    agents: AgentsService,
    agent_id: str,
    *,
    name: str | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    agent = await agents.get(agent_id)
    return await pages.page(
        request,
        "agents/agent.html",
        status=status,
        title=agent.name,
        view=view_of(agent),
        is_part=False,
        probes=await agents.work_of(agent.id),
        name=agent.name if name is None else name,
        errors=errors or {},
    )


def _whole(field: str, text: str) -> int:
    if not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 - more digits than any limit here
        raise InvalidField(field, N_("a whole number is expected"))
    return int(text)


ROUTES = (
    agents_page,
    agents_rows,
    new_agent,
    make_line,
    agent_page,
    agent_facts,
    rename_agent,
    retire_agent_form,
    take_back_agent,
    withdraw_enrolment_form,
)
