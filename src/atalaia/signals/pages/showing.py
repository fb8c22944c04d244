"""One signal: how it is answered, what its runs did, and how to send it."""

from typing import Annotated, Any, Final

from litestar import Response, get, post
from litestar.params import FromQuery, QueryParameter
from litestar.response import Redirect

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.translations import N_, Translator
from atalaia.signals.model.answers import ANSWERED, Answer, answer_of
from atalaia.signals.model.runs import Outcome, Run
from atalaia.signals.model.signals import SignalChange, SignalOut
from atalaia.signals.pages.edges import (
    READ,
    WRITE,
    AnyRequest,
    Around,
    AroundSignals,
    Name,
    Signals,
    ThePages,
    actor_of,
    href_of,
    words_of,
)
from atalaia.signals.pages.sending import lines_of
from atalaia.signals.pages.standing import ANSWER_WORDS, OUTCOMES, standing_of
from atalaia.signals.service import PERSON, SignalsService
from atalaia.signals.service.drawing import LINES, NOTHING
from atalaia.signals.service.scheduling import SOURCE as SCHEDULE
from atalaia.web.pages import Pages, see_other

PAGE_ROWS: Final = 25
HOURS: Final = 24
_MOST_MS: Final = 1 << 53
Instant = Annotated[int, QueryParameter(ge=0, le=_MOST_MS)]
Seconds = Annotated[float, QueryParameter(ge=0, le=10_000_000)]
_FILTERS: Final = {"failed": N_("Failed"), "lost": N_("Cut short"), "succeeded": N_("Went well")}


@get("/signals/{name:str}", guards=READ, include_in_schema=False)
async def show(
    request: AnyRequest, pages: ThePages, signals: Signals, around_signals: AroundSignals, name: Name
) -> Response[str]:
    return await _page(request, pages, signals, around_signals, name)


@get("/signals/{name:str}/now", guards=READ, include_in_schema=False)
async def part(
    request: AnyRequest, pages: ThePages, signals: Signals, around_signals: AroundSignals, name: Name
) -> Response[str]:
    context = await _context(request, pages, signals, around_signals, name)
    return await pages.fragment(request, "signals/_signal_now.html", is_part=True, rows=len(context["runs"]), **context)


@get("/signals/{name:str}/series", guards=READ, include_in_schema=False)
async def series(
    signals: Signals,
    name: Name,
    of: FromQuery[str],
    to: Instant,
    step: Seconds,
    from_ms: Annotated[int, QueryParameter(name="from", ge=0, le=_MOST_MS)],
) -> dict[str, Any]:
    """One line of a chart."""
    if of not in LINES:
        raise InvalidField("of", N_("must be one of {names}"), names=", ".join(LINES))
    line = await signals.drawing.line(name, of, from_ms=from_ms, until_ms=to, step_s=int(step))
    return {"items": [{"labels": {}, "times": line.times, "values": line.values}] if line.times else []}


@post("/signals/{name:str}/run", guards=WRITE, status_code=200, include_in_schema=False)
async def run_now(
    request: AnyRequest, pages: ThePages, signals: Signals, around_signals: AroundSignals, name: Name
) -> Response[str] | Redirect:
    try:
        await signals.run_now(name, actor_of(request))
    except AtalaiaError as error:
        if error.code == "not_found":
            raise
        problem = words_of(error, request, pages)
        return await _page(request, pages, signals, around_signals, name, problem=problem, status=409)
    return see_other(href_of(name))


@post("/signals/{name:str}/pause", guards=WRITE, include_in_schema=False)
async def pause(request: AnyRequest, signals: Signals, name: Name) -> Redirect:
    await signals.change(name, SignalChange(is_paused=True), actor_of(request))
    return see_other(href_of(name))


@post("/signals/{name:str}/resume", guards=WRITE, include_in_schema=False)
async def resume(request: AnyRequest, signals: Signals, name: Name) -> Redirect:
    await signals.change(name, SignalChange(is_paused=False), actor_of(request))
    return see_other(href_of(name))


@post("/signals/{name:str}/delete", guards=WRITE, include_in_schema=False)
async def remove(request: AnyRequest, signals: Signals, name: Name) -> Redirect:
    await signals.drop(name, actor_of(request))
    return see_other("/signals")


async def _page(
    request: AnyRequest,
    pages: Pages,
    signals: SignalsService,
    around: Around,
    name: str,
    *,
    problem: str | None = None,
    status: int = 200,
) -> Response[str]:
    context = await _context(request, pages, signals, around, name)
    return await pages.page(
        request,
        "signals/signal.html",
        status=status,
        rows=len(context["runs"]),
        title=name,
        is_part=False,
        problem=problem,
        charts=_charts(name, pages.translator(request)),
        hours=HOURS,
        **context,
    )


async def _context(
    request: AnyRequest, pages: Pages, signals: SignalsService, around: Around, name: str
) -> dict[str, Any]:
    signal = await signals.reading.one(name)
    params = {key: value for key, value in request.query_params.items() if key in {"cursor", "outcome"}}
    outcome = Outcome(params["outcome"]) if params.get("outcome") in _FILTERS else None
    runs, following = await signals.reading.runs(name, cursor=params.get("cursor"), limit=PAGE_ROWS, outcome=outcome)
    translator = pages.translator(request)
    lately = (await signals.drawing.lately()).get(name, NOTHING)
    return {
        "signal": signal,
        "standing": standing_of(signal),
        "href": href_of(name),
        "params": params,
        "runs": [(run, _said(run, translator), _source(run, translator)) for run in runs],
        "next": following,
        "filters": _FILTERS,
        "outcomes": OUTCOMES,
        "lately": lately,
        "unanswered": _unanswered(lately.answers),
        "nothing": await signals.drawing.found_nothing(name),
        "places": [f"{place} ({times}×)" for place, times in await signals.drawing.refused_places(name)],
        "answer_word": _answer_word(signal),
        "lines": lines_of(signal, around.public_url),
    }


def _unanswered(answers: dict[str, int]) -> int:
    return sum(answers[str(each)] for each in Answer if each not in ANSWERED)


def _answer_word(signal: SignalOut) -> str:
    return ANSWER_WORDS[answer_of(signal.last_answer.status)] if signal.last_answer else ""


def _said(run: Run, translator: Translator) -> str:
    return translator.translate(run.summary, **run.params) if run.summary else ""


def _source(run: Run, translator: Translator) -> str:
    """Who asked for it, in the reader's words where the hub named them."""
    if run.source == SCHEDULE:
        return translator.translate("Schedule")
    return run.source.removeprefix(f"{PERSON}: ") or "–"


def _charts(name: str, translator: Translator) -> list[dict[str, Any]]:
    translate, base = translator.translate, f"{href_of(name)}/series?of="
    answers = (
        ("started", translate("Runs begun"), "up"),
        ("skipped", translate("Skipped"), "maintenance"),
        ("throttled", translate("Throttled"), "degraded"),
        ("unanswered", translate("Not answered as they should be"), "down"),
    )
    return [
        {
            "id": "answers",
            "title": translate("Signals a minute"),
            "unit": "number",
            "series": [
                {"label": label, "src": base + of, "color": color, "stack": True} for of, label, color in answers
            ],
        },
        {
            "id": "ratio",
            "title": translate("Answered"),
            "unit": "percent",
            "series": [{"label": translate("Answered"), "src": base + "ratio"}],
        },
        {
            "id": "durations",
            "title": translate("How long runs took"),
            "unit": "ms",
            "series": [
                {"label": translate("On average"), "src": base + "mean"},
                {"label": translate("The slowest"), "src": base + "slowest"},
            ],
        },
    ]


ROUTES = (show, part, series, run_now, pause, resume, remove)
