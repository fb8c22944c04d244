"""Pages of upstreams."""

from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.core.errors import AtalaiaError
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.upstreams.edges import AnyRequest, Name, QueryText, ThePages, Upstreams, actor_of
from atalaia.upstreams.model.views import Notes, Standing, UpstreamView
from atalaia.upstreams.service.seeing import shown_state
from atalaia.web.pages import see_other

_READ = [requires(Permission.UPSTREAMS_READ)]
_WRITE = [requires(Permission.UPSTREAMS_WRITE)]
FAILURES_SHOWN = 25
STATE_WORDS = {
    Standing.DOWN: N_("Down"),
    Standing.DEGRADED: N_("Degraded"),
    Standing.UP: N_("Up"),
    Standing.UNKNOWN: N_("Quiet"),
    Standing.UNCONFIGURED: N_("Not configured"),
}
OUTCOME_WORDS = {
    "ok": N_("Well"),
    "temporary": N_("Temporary failure"),
    "auth": N_("Token refused"),
    "permanent": N_("Refused"),
    "bad_payload": N_("Unreadable answer"),
    "refused": N_("Held back"),
}


@get("/upstreams", guards=_READ, include_in_schema=False)
async def overview(request: AnyRequest, pages: ThePages, upstreams: Upstreams) -> Response[str]:
    title = pages.translator(request).translate("Upstreams")
    return await pages.page(request, "upstreams/upstreams.html", title=title, **await _rows(upstreams))


@get("/upstreams/rows", guards=_READ, include_in_schema=False)
async def rows(request: AnyRequest, pages: ThePages, upstreams: Upstreams) -> Response[str]:
    return await pages.fragment(request, "upstreams/_rows.html", **await _rows(upstreams))


@get("/upstreams/{name:str}", guards=_READ, include_in_schema=False)
async def show(
    request: AnyRequest, pages: ThePages, upstreams: Upstreams, name: Name, cursor: QueryText = None
) -> Response[str]:
    return await _page(request, pages, upstreams, name, cursor=cursor)


@get("/upstreams/{name:str}/now", guards=_READ, include_in_schema=False)
async def part(request: AnyRequest, pages: ThePages, upstreams: Upstreams, name: Name) -> Response[str]:
    context = await _context(upstreams, name)
    return await pages.fragment(request, "upstreams/_now.html", is_part=True, **context)


@post("/upstreams/{name:str}/renew", guards=_WRITE, status_code=200, include_in_schema=False)
async def renew(request: AnyRequest, pages: ThePages, upstreams: Upstreams, name: Name) -> Response[str] | Redirect:
    account = await _account(request)
    try:
        await upstreams.renew_token(name, actor_of(request), account=account)
    except AtalaiaError as error:
        return await _page(request, pages, upstreams, name, problem=_words(request, pages, error), status=422)
    return see_other(f"/upstreams/{name}")


@post("/upstreams/{name:str}/reset", guards=_WRITE, include_in_schema=False)
async def reset(request: AnyRequest, upstreams: Upstreams, name: Name) -> Redirect:
    await upstreams.reset_breaker(name, actor_of(request), account=await _account(request))
    return see_other(f"/upstreams/{name}")


@post("/upstreams/{name:str}/token", guards=_WRITE, status_code=200, include_in_schema=False)
async def give(request: AnyRequest, pages: ThePages, upstreams: Upstreams, name: Name) -> Response[str] | Redirect:
    form = await request.form()
    try:
        await upstreams.keep_token(
            name, str(form.get("token") or ""), actor_of(request), account=str(form.get("account") or "default")
        )
    except AtalaiaError as error:
        errors = {"token": _words(request, pages, error)}
        return await _page(request, pages, upstreams, name, errors=errors, status=422)
    return see_other(f"/upstreams/{name}")


@post("/upstreams/{name:str}/notes", guards=_WRITE, status_code=200, include_in_schema=False)
async def write_notes(
    request: AnyRequest, pages: ThePages, upstreams: Upstreams, name: Name
) -> Response[str] | Redirect:
    form = await request.form()
    notes = Notes(_lines(form.get("runbook")), _lines(form.get("contacts")))
    try:
        await upstreams.write_notes(name, notes, actor_of(request))
    except AtalaiaError as error:
        errors = {str(getattr(error, "field", "runbook")): _words(request, pages, error)}
        return await _page(request, pages, upstreams, name, notes=notes, errors=errors, status=422)
    return see_other(f"/upstreams/{name}")


# -- what they show


async def _rows(upstreams: Upstreams) -> dict[str, Any]:
    views = await upstreams.overview()
    return {"upstreams": [(shown_state(view), view) for view in views], "state_words": STATE_WORDS}


async def _context(upstreams: Upstreams, name: str) -> dict[str, Any]:
    view = await upstreams.upstream(name)
    return {
        "upstream": view,
        "state": shown_state(view),
        "state_word": STATE_WORDS[view.state],
        "outcome_words": OUTCOME_WORDS,
        "operations": await upstreams.operations(name),
    }


async def _page(
    request: AnyRequest,
    pages: ThePages,
    upstreams: Upstreams,
    name: str,
    *,
    cursor: str | None = None,
    notes: Notes | None = None,
    problem: str | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    context = await _context(upstreams, name)
    failures, following = await upstreams.failures(name, cursor=cursor, limit=FAILURES_SHOWN)
    return await pages.page(
        request,
        "upstreams/upstream.html",
        status=status,
        title=context["upstream"].title,
        is_part=False,
        notes=notes or await upstreams.notes(name),
        problem=problem,
        errors=errors or {},
        failures=failures,
        next=following,
        account_options=[(each.account, each.account) for each in context["upstream"].accounts],
        charts=_charts(context["upstream"], pages, request),
        **context,
    )


def _charts(view: UpstreamView, pages: ThePages, request: AnyRequest) -> list[dict[str, Any]]:
    translate = pages.translator(request).translate
    source = f"/api/upstreams/{view.name}/series?measure="
    latency = [{"label": name, "src": source + name} for name in ("p50", "p95")]
    calls = [
        {"label": translate("Well"), "src": source + "ok", "color": "up"},
        {"label": translate("Failed"), "src": source + "failed", "color": "down"},
    ]
    return [
        {"id": "latency", "title": translate("Latency"), "series": latency, "unit": "s"},
        {"id": "calls", "title": translate("Calls a minute"), "series": calls, "unit": "number"},
    ]


async def _account(request: AnyRequest) -> str:
    return str((await request.form()).get("account") or "default")


def _lines(value: object) -> str:
    return str(value or "").replace("\r\n", "\n").strip()


def _words(request: AnyRequest, pages: ThePages, error: AtalaiaError) -> str:
    return pages.translator(request).translate(error.message, **error.params)


ROUTES = (overview, rows, show, part, renew, reset, give, write_notes)
