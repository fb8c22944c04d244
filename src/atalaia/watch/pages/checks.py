"""Pages of checks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.agents.model.wire import Result as WireResult
from atalaia.core.errors import AtalaiaError, Conflict, InvalidField
from atalaia.core.formats import zone
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.notify.model.severity import Severity
from atalaia.watch.edges import AnyRequest, ThePages, Watch, actor_of, label_of, ping_url, reasons_of
from atalaia.watch.model.checks import CheckKind
from atalaia.watch.model.states import WORST_FIRST, CheckState
from atalaia.watch.model.titles import shown_title
from atalaia.watch.model.uptime import days, uptime
from atalaia.watch.model.values import Check, CheckFilter
from atalaia.watch.pages import check_form
from atalaia.watch.pages.check_view import PHASE_WORDS, charts_of, marks_of, row_of, state_words
from atalaia.web.cursors import decode_cursor, encode_cursor
from atalaia.web.pages import see_other

_READ = [requires(Permission.CHECKS_READ)]
_WRITE = [requires(Permission.CHECKS_WRITE)]
PAGE_ROWS = 50
BAR_DAYS = 90
EVENTS_SHOWN = 25
# The first reach of the charts: a new check has little to show in a day.
DAY_HOURS, SHORT_HOURS = 24, 6
T = TypeVar("T")


class CheckPages(Controller):
    path = "/checks"
    include_in_schema = False

    @get(guards=_READ)
    async def overview(self, request: AnyRequest, pages: ThePages, watch: Watch) -> Response[str]:
        return await _list(request, pages, watch, "watch/checks.html")

    @get("/rows", guards=_READ)
    async def rows(self, request: AnyRequest, pages: ThePages, watch: Watch) -> Response[str]:
        return await _list(request, pages, watch, "watch/_checks_rows.html", is_part=True)

    @get("/new", guards=_WRITE)
    async def new(self, request: AnyRequest, pages: ThePages, watch: Watch) -> Response[str]:
        values = check_form.values_of(check_form.NEW)
        kind = request.query_params.get("kind", "")
        if kind in set(CheckKind):
            values |= {"kind": kind, "target": "https://" if kind == "http" else ""}
        return await _form_page(request, pages, watch, values=values)

    @post("/new", guards=_WRITE, status_code=200)
    async def create(self, request: AnyRequest, pages: ThePages, watch: Watch) -> Response[str] | Redirect:
        form, agents = await _sent(request)
        try:
            spec = check_form.spec_of(check_form.fields_of(form, agents))
            check = await watch.add_check(spec, actor_of(request))
        except (InvalidField, msgspec.ValidationError) as error:
            return await _form_again(request, pages, watch, form, agents, error)
        return see_other(f"/checks/{check.id}")

    @post("/try", guards=_WRITE, status_code=200)
    async def try_form(self, request: AnyRequest, pages: ThePages, watch: Watch) -> Response[str]:
        """The fragment below the form: what one measurement, made now, says."""
        form, agents = await _sent(request)
        result, problem = None, None
        try:
            fields = check_form.fields_of(form, agents) | {"name": form.get("name") or "-"}
            spec = check_form.spec_of(fields)
            result = await watch.try_spec(spec, check_id=str(form.get("check_id") or "") or None)
        except (AtalaiaError, msgspec.ValidationError) as error:
            problem = _words(error, pages, request)
        return await _tried(request, pages, result, problem)

    @get("/{check_id:str}", guards=_READ)
    async def show(self, request: AnyRequest, pages: ThePages, watch: Watch, check_id: FromPath[str]) -> Response[str]:
        context = await _check_context(request, pages, watch, check_id)
        return await pages.page(request, "watch/check.html", title=context["check"].spec.name, is_part=False, **context)

    @get("/{check_id:str}/now", guards=_READ)
    async def part(self, request: AnyRequest, pages: ThePages, watch: Watch, check_id: FromPath[str]) -> Response[str]:
        context = await _check_context(request, pages, watch, check_id)
        return await pages.fragment(request, "watch/_check_now.html", is_part=True, **context)

    @get("/{check_id:str}/stats", guards=_READ)
    async def stats(self, request: AnyRequest, pages: ThePages, watch: Watch, check_id: FromPath[str]) -> Response[str]:
        stats = await watch.stats(check_id)
        return await pages.fragment(request, "watch/_check_stats.html", stats=stats)

    @get("/{check_id:str}/edit", guards=_WRITE)
    async def edit(self, request: AnyRequest, pages: ThePages, watch: Watch, check_id: FromPath[str]) -> Response[str]:
        check = await watch.check(check_id)
        return await _form_page(request, pages, watch, values=check_form.values_of_check(check), check=check)

    @post("/{check_id:str}/edit", guards=_WRITE, status_code=200)
    async def change(
        self, request: AnyRequest, pages: ThePages, watch: Watch, check_id: FromPath[str]
    ) -> Response[str] | Redirect:
        check = await watch.check(check_id)
        form, agents = await _sent(request)
        form = {**form, "kind": str(check.spec.kind)}
        seen = choice(int, str(form.get("revision", "")))
        try:
            await watch.change_check(check_id, check_form.fields_of(form, agents), actor_of(request), seen=seen)
        except Conflict as error:
            return await _form_again(request, pages, watch, form, agents, error, check=await watch.check(check_id))
        except (InvalidField, msgspec.ValidationError) as error:
            # It stays a change of what was seen when the form was opened.
            check = msgspec.structs.replace(check, revision=seen or check.revision)
            return await _form_again(request, pages, watch, form, agents, error, check=check)
        return see_other(f"/checks/{check_id}")

    @post("/{check_id:str}/pause", guards=_WRITE)
    async def pause(self, request: AnyRequest, watch: Watch, check_id: FromPath[str]) -> Redirect:
        await watch.pause_check(check_id, actor_of(request), is_paused=True)
        return see_other(f"/checks/{check_id}")

    @post("/{check_id:str}/resume", guards=_WRITE)
    async def resume(self, request: AnyRequest, watch: Watch, check_id: FromPath[str]) -> Redirect:
        await watch.pause_check(check_id, actor_of(request), is_paused=False)
        return see_other(f"/checks/{check_id}")

    @post("/{check_id:str}/delete", guards=_WRITE)
    async def remove(self, request: AnyRequest, watch: Watch, check_id: FromPath[str]) -> Redirect:
        await watch.remove_check(check_id, actor_of(request))
        return see_other("/checks")

    @post("/{check_id:str}/try", guards=_WRITE, status_code=200)
    async def try_now(
        self, request: AnyRequest, pages: ThePages, watch: Watch, check_id: FromPath[str]
    ) -> Response[str]:
        result, problem = None, None
        try:
            result = await watch.try_check(check_id)
        except AtalaiaError as error:
            problem = _words(error, pages, request)
        return await _tried(request, pages, result, problem)


def choice(kind: Callable[[str], T], text: str | None) -> T | None:
    """A filter of the address; what is none of the choices filters nothing."""
    try:
        return kind(text) if text else None
    except ValueError:
        return None


async def _list(
    request: AnyRequest, pages: ThePages, watch: Watch, template: str, *, is_part: bool = False
) -> Response[str]:
    params = dict(request.query_params)
    wanted = CheckFilter(
        state=choice(CheckState, params.get("state")),
        kind=choice(CheckKind, params.get("kind")),
        agent_id=params.get("agent") or None,
        text=params.get("q") or None,
        label=label_of(params.get("label")),
    )
    after = decode_cursor(params.get("cursor"), int, str, str)
    checks, key = await watch.checks_worst_first(wanted, limit=PAGE_ROWS, after=after)
    spans = await watch.spans([check.id for check in checks], days=BAR_DAYS)
    now, timezone = watch.now(), zone(pages.timezone_of(request))
    translate = pages.translator(request).translate
    why = reasons_of(request, pages)
    context: dict[str, Any] = {
        "checks": [row_of(check, spans[check.id], now=now, timezone=timezone, why=why) for check in checks],
        "next": encode_cursor(*key) if key else None,
        "params": params,
        "is_filtered": wanted != CheckFilter(),
    }
    if is_part:
        return await pages.fragment(request, template, rows=len(checks), **context)
    return await pages.page(
        request,
        template,
        rows=len(checks),
        title=translate("Checks"),
        counts={str(state): count for state, count in (await watch.counts()).items()},
        state_options=[(str(state), translate(state_words[state])) for state in WORST_FIRST],
        kind_options=[(str(kind), translate(label)) for kind, label, _ in check_form.KINDS],
        agent_options=[(agent.id, agent.name) for agent in await watch.agents()],
        label_options=[(f"{name}={value}",) * 2 for name, value in await watch.labels()],
        **context,
    )


async def _check_context(request: AnyRequest, pages: ThePages, watch: Watch, check_id: str) -> dict[str, Any]:
    check = await watch.check(check_id)
    spans = (await watch.spans([check_id], days=BAR_DAYS))[check_id]
    events = await watch.events(check_id, limit=EVENTS_SHOWN)
    now = watch.now()
    agents = await watch.agents_by_id()
    incidents = await watch.open_incidents_of(check_id)
    translate = pages.translator(request).translate
    is_heartbeat = check.spec.kind is CheckKind.HEARTBEAT
    bar = days(spans, now=now, timezone=zone(pages.timezone_of(request)), count=BAR_DAYS)
    places = [agents[place.agent_id].name if place.agent_id in agents else place.agent_id for place in check.places]
    chosen = next((place for place in places if place == request.query_params.get("agent")), None)
    return {
        "check": check,
        "is_heartbeat": is_heartbeat,
        "kind_label": next(label for kind, label, _ in check_form.KINDS if kind is check.spec.kind),
        "policy": check.watched.policy,
        "days": bar,
        "uptime": uptime(spans, now - timedelta(days=BAR_DAYS), now),
        "events": events[:EVENTS_SHOWN],
        "pings": await watch.pings(check_id) if is_heartbeat else [],
        "ping_url": ping_url(watch.public_url, check),
        "places": places,
        "chosen": chosen,
        "params": dict(request.query_params),
        "charts": charts_of(check, translate, places=places, chosen=chosen),
        "why": reasons_of(request, pages),
        "marks": marks_of(events),
        "incidents": incidents,
        "titles": {incident.id: shown_title(incident, translate) for incident in incidents},
        "hours": DAY_HOURS if now - check.created_at > timedelta(hours=SHORT_HOURS) else SHORT_HOURS,
    }


async def _tried(request: AnyRequest, pages: ThePages, result: WireResult | None, problem: str | None) -> Response[str]:
    translate = pages.translator(request).translate
    phases = [(translate(PHASE_WORDS.get(name, name)), ms) for name, ms in ((result and result.phases) or {}).items()]
    said = f"{result.error or result.outcome}: {result.message or ''}" if result and not result.ok else None
    why = reasons_of(request, pages)(said)
    return await pages.fragment(request, "watch/_try.html", result=result, problem=problem, phases=phases, why=why)


async def _sent(request: AnyRequest) -> tuple[dict[str, Any], list[str]]:
    form = await request.form()
    agents = [str(value) for value in form.getall("agents", [])]
    return {name: value for name, value in form.items() if name not in {"agents", "csrf_token"}}, agents


def _words(error: Exception, pages: ThePages, request: AnyRequest) -> str:
    translate = pages.translator(request).translate
    if isinstance(error, AtalaiaError):
        words = translate(error.message, **error.params)
        return f"{words} {translate(error.hint)}" if error.hint else words
    return str(error).partition(" - at `$")[0]


async def _form_again(
    request: AnyRequest, pages: ThePages, watch: Watch, form: dict[str, Any], agents: list[str],
    error: InvalidField | Conflict | msgspec.ValidationError, *, check: Check | None = None,
) -> Response[str]:  # fmt: skip
    field = "" if isinstance(error, Conflict) else str(error).partition("`$.")[2].rstrip("`")
    field = error.field if isinstance(error, InvalidField) else field
    field = field.removeprefix("options.").removeprefix("secrets.")
    known = set(form) | {"agents", "more_options"}
    errors = {field if field in known else "": _words(error, pages, request)}
    values = check_form.values_of(check_form.NEW) | check_form.typed_values(form, agents)
    return await _form_page(request, pages, watch, values=values, errors=errors, check=check, status=422)


async def _form_page(
    request: AnyRequest, pages: ThePages, watch: Watch, *, values: dict[str, Any],
    errors: dict[str, str] | None = None, check: Check | None = None, status: int = 200,
) -> Response[str]:  # fmt: skip
    translate = pages.translator(request).translate
    return await pages.page(
        request,
        "watch/check_form.html",
        status=status,
        title=translate("Change {name}", name=check.spec.name) if check else translate("New check"),
        check=check,
        values=values,
        errors=errors or {},
        kinds=[(str(kind), translate(label), translate(hint)) for kind, label, hint in check_form.KINDS],
        agents=await watch.agents(),
        severities=[(str(severity), translate(word)) for severity, word in SEVERITY_WORDS.items()],
    )


SEVERITY_WORDS = {
    Severity.CRITICAL: N_("Critical"),
    Severity.WARNING: N_("Warning"),
    Severity.INFO: N_("Information"),
}
