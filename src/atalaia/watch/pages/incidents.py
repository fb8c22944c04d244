"""Pages of incidents."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.notify.model.severity import Severity
from atalaia.watch.edges import AnyRequest, ThePages, Watch, actor_of, reasons_of
from atalaia.watch.model.incidents import IncidentState
from atalaia.watch.model.timeline import EVENT_WORDS
from atalaia.watch.model.titles import shown_title
from atalaia.watch.model.values import IncidentFilter
from atalaia.watch.pages.checks import SEVERITY_WORDS, choice
from atalaia.web.cursors import decode_cursor, page_of
from atalaia.web.pages import see_other

_READ = [requires(Permission.INCIDENTS_READ)]
_WRITE = [requires(Permission.INCIDENTS_WRITE)]
PAGE_ROWS = 50


class IncidentPages(Controller):
    path = "/incidents"
    include_in_schema = False

    @get(guards=_READ)
    async def overview(self, request: AnyRequest, pages: ThePages, watch: Watch) -> Response[str]:
        return await _list(request, pages, watch, "watch/incidents.html")

    @get("/rows", guards=_READ)
    async def rows(self, request: AnyRequest, pages: ThePages, watch: Watch) -> Response[str]:
        return await _list(request, pages, watch, "watch/_incidents_rows.html", is_part=True)

    @get("/open", guards=_READ)
    async def open_count(self, request: AnyRequest, pages: ThePages, watch: Watch) -> Response[str]:
        """How many are open, for the way to them that every page has."""
        return await pages.fragment(request, "watch/_open_count.html", count=await watch.open_count())

    @get("/{incident_id:str}", guards=_READ)
    async def show(
        self, request: AnyRequest, pages: ThePages, watch: Watch, incident_id: FromPath[str]
    ) -> Response[str]:
        return await _one(request, pages, watch, incident_id)

    @get("/{incident_id:str}/now", guards=_READ)
    async def part(
        self, request: AnyRequest, pages: ThePages, watch: Watch, incident_id: FromPath[str]
    ) -> Response[str]:
        context = await _context(request, pages, watch, incident_id)
        return await pages.fragment(request, "watch/_incident_now.html", **context)

    @post("/{incident_id:str}/acknowledge", guards=_WRITE)
    async def acknowledge(self, request: AnyRequest, watch: Watch, incident_id: FromPath[str]) -> Redirect:
        await watch.acknowledge(incident_id, actor_of(request))
        return see_other(f"/incidents/{incident_id}")

    @post("/{incident_id:str}/close", guards=_WRITE)
    async def close(self, request: AnyRequest, watch: Watch, incident_id: FromPath[str]) -> Redirect:
        await watch.close(incident_id, actor_of(request))
        return see_other(f"/incidents/{incident_id}")

    @post("/{incident_id:str}/comments", guards=_WRITE, status_code=200)
    async def comment(
        self, request: AnyRequest, pages: ThePages, watch: Watch, incident_id: FromPath[str]
    ) -> Response[str] | Redirect:
        text = str((await request.form()).get("text", ""))
        try:
            await watch.comment(incident_id, text, actor_of(request))
        except InvalidField as error:
            words = pages.translator(request).translate(error.message, **error.params)
            return await _one(request, pages, watch, incident_id, errors={"text": words}, text=text, status=422)
        return see_other(f"/incidents/{incident_id}")


async def _list(
    request: AnyRequest, pages: ThePages, watch: Watch, template: str, *, is_part: bool = False
) -> Response[str]:
    params = dict(request.query_params)
    view = params.get("view") or "open"
    wanted = IncidentFilter(
        is_open={"open": True, "resolved": False}.get(view),
        severity=choice(Severity, params.get("severity")),
        check_id=params.get("check") or None,
        text=params.get("q") or None,
    )
    after = decode_cursor(params.get("cursor"), str)
    found = await watch.incidents(wanted, limit=PAGE_ROWS, after=after[0] if after else None)
    page, following = page_of(found, PAGE_ROWS, lambda incident: (incident.id,))
    translate = pages.translator(request).translate
    titles = {incident.id: shown_title(incident, translate) for incident in page}
    context: dict[str, Any] = {"incidents": page, "titles": titles, "next": following, "params": params, "view": view}
    context["why"] = reasons_of(request, pages)
    if is_part:
        return await pages.fragment(request, template, rows=len(page), **context)
    return await pages.page(
        request,
        template,
        rows=len(page),
        title=translate("Incidents"),
        open_count=await watch.open_count(),
        severity_options=[(str(severity), translate(word)) for severity, word in SEVERITY_WORDS.items()],
        **context,
    )


async def _context(request: AnyRequest, pages: ThePages, watch: Watch, incident_id: str) -> dict[str, Any]:
    incident, events = await watch.incident(incident_id)
    check = await watch.find_check(incident.check_id) if incident.check_id else None
    return {
        "incident": incident,
        "shown_title": shown_title(incident, pages.translator(request).translate),
        "events": events,
        "words": EVENT_WORDS,
        "why": reasons_of(request, pages),
        "check": check,
        "is_open": incident.state is not IncidentState.RESOLVED,
        "is_new": incident.state is IncidentState.OPEN,
    }


async def _one(
    request: AnyRequest, pages: ThePages, watch: Watch, incident_id: str, *, errors: dict[str, str] | None = None,
    text: str = "", status: int = 200,
) -> Response[str]:  # fmt: skip
    context = await _context(request, pages, watch, incident_id)
    title = context["shown_title"]
    return await pages.page(
        request, "watch/incident.html", status=status, title=title, errors=errors or {}, text=text, **context
    )
