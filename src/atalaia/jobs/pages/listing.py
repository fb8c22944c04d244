"""All jobs, what a person has to decide before all else."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.response import Redirect

from atalaia.core.translations import N_
from atalaia.jobs.model.states import State, Status
from atalaia.jobs.model.views import JobFilter, JobLine, TroubleOut
from atalaia.jobs.pages.edges import CREATE, READ, AnyRequest, AroundJobs, Jobs, ThePages, actor_of
from atalaia.jobs.pages.words import SHAPES, STATES, WORDS, retold
from atalaia.jobs.service import JobsService
from atalaia.jobs.service.control import BulkWish
from atalaia.jobs.service.reading import MAX_TALLIED
from atalaia.web.cursors import decode_cursor, encode_cursor
from atalaia.web.pages import see_other

PAGE_ROWS: Final = 50
# In the order of the chips: the worst first.
TALLIED: Final = (
    State.UNKNOWN, State.DEAD, State.FAILED, State.RESOLVING, State.RETRYING, State.LEASED, State.WAITING, State.SNOOZED,
    State.SUCCEEDED, State.CANCELLED,
)  # fmt: skip
# What a filter of the address may say, and where the chip of a state leads.
FILTERS: Final[dict[str, tuple[State | Status, str]]] = {
    "unknown": (State.UNKNOWN, N_("Outcome unknown")),
    "dead": (State.DEAD, N_("Dead letter")),
    "failed": (State.FAILED, N_("Failed")),
    "resolving": (State.RESOLVING, N_("Finding out")),
    "processing": (Status.PROCESSING, N_("Running")),
    "pending": (Status.PENDING, N_("Waiting")),
    "completed": (Status.COMPLETED, N_("Completed")),
    "cancelled": (Status.CANCELLED, N_("Cancelled")),
    "error": (Status.ERROR, N_("All that went wrong")),
}
_CHIP_OF: Final = {
    State.LEASED: "processing",
    State.WAITING: "pending",
    State.SNOOZED: "pending",
    State.RETRYING: "pending",
    State.SUCCEEDED: "completed",
}
PERIODS: Final = {
    "1h": (timedelta(hours=1), N_("the last hour")),
    "24h": (timedelta(hours=24), N_("the last 24 hours")),
    "7d": (timedelta(days=7), N_("the last 7 days")),
    "30d": (timedelta(days=30), N_("the last 30 days")),
}


@get("/jobs", guards=READ, include_in_schema=False)
async def jobs_page(request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs) -> Response[str]:
    translate = pages.translator(request).translate
    types, queues = await jobs.reading.lanes()
    titles = titles_of(jobs, translate)
    listed = await _listed(request, pages, jobs, now=around_jobs.clock.now())
    return await pages.page(
        request,
        "jobs/jobs.html",
        rows=len(listed["jobs"]),
        title=translate("Jobs"),
        status_options=[(key, translate(word)) for key, (_, word) in FILTERS.items()],
        type_options=[(name, titles.get(name, name)) for name in types],
        queue_options=[(name, name) for name in queues],
        period_options=[(key, translate(word)) for key, (_, word) in PERIODS.items()],
        **listed,
    )


@get("/jobs/rows", guards=READ, include_in_schema=False)
async def job_rows(request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs) -> Response[str]:
    listed = await _listed(request, pages, jobs, now=around_jobs.clock.now())
    return await pages.fragment(request, "jobs/_rows.html", rows=len(listed["jobs"]), **listed)


@post("/jobs/retry", guards=CREATE, include_in_schema=False)
async def retry_dead(request: AnyRequest, jobs: Jobs, around_jobs: AroundJobs) -> Redirect:
    """Start the dead letters again that the list shows, as it is filtered."""
    form = await request.form()
    params = {name: str(form.get(name) or "") for name in ("type", "queue", "period")}
    since = _since(params["period"], around_jobs.clock.now())
    wish = BulkWish(type=params["type"] or None, queue=params["queue"] or None, created_from=since)
    done = await jobs.control.retry_many(wish, actor_of(request))
    return see_other("/jobs?" + urlencode({"restarted": len(done.ids), "skipped": done.skipped}))


def titles_of(jobs: JobsService, translate: Callable[..., str]) -> dict[str, str]:
    """What a type is called, for people."""
    return {each.name: translate(each.title) for each in jobs.types.all()}


async def _listed(request: AnyRequest, pages: ThePages, jobs: JobsService, *, now: datetime) -> dict[str, Any]:
    params = {name: value for name, value in request.query_params.items() if name not in {"restarted", "skipped"}}
    wanted = _wanted(params, now)
    translator = pages.translator(request)
    lines, following = await _page(jobs, wanted, params.get("cursor"))
    tally = await jobs.reading.tally()
    return {
        "jobs": [(line, _said(line.error, translator)) for line in lines],
        "next": following,
        "params": params,
        "shapes": SHAPES,
        "words": WORDS,
        "titles": titles_of(jobs, translator.translate),
        "tally": [
            (SHAPES[state], STATES[state][1], tally[state], _CHIP_OF.get(state, str(state)))
            for state in TALLIED
            if tally.get(state)
        ],
        "most_tallied": MAX_TALLIED,
        "dead": tally.get(State.DEAD, 0),
        "is_filtered": wanted != JobFilter(),
        "told": _told(request),
    }


async def _page(jobs: JobsService, wanted: JobFilter, cursor: str | None) -> tuple[list[JobLine], str | None]:
    if wanted.status is not None:
        after = decode_cursor(cursor, int)
        lines, following = await jobs.reading.jobs(wanted, limit=PAGE_ROWS, before=after[0] if after else None)
        return lines, encode_cursor(following) if following is not None else None
    pair = decode_cursor(cursor, int, int)
    lines, key = await jobs.reading.worst_first(wanted, limit=PAGE_ROWS, after=(pair[0], pair[1]) if pair else None)
    return lines, encode_cursor(*key) if key else None


def _wanted(params: dict[str, str], now: datetime) -> JobFilter:
    """What is none of the choices filters nothing."""
    status = FILTERS.get(params.get("status", ""))
    return JobFilter(
        status=status[0] if status else None,
        type=params.get("type") or None,
        queue=params.get("queue") or None,
        created_from=_since(params.get("period", ""), now),
        text=params.get("q", "").replace("\0", "").strip() or None,
    )


def _since(period: str, now: datetime) -> datetime | None:
    known = PERIODS.get(period)
    return now - known[0] if known else None


def _said(error: TroubleOut | None, translator: Any) -> str:
    return retold(error.message, translator) if error is not None else ""


def _told(request: AnyRequest) -> tuple[int, int] | None:
    """How many dead letters were started again, and how many not."""
    said = [request.query_params.get(name, "") for name in ("restarted", "skipped")]
    if not all(text.isascii() and text.isdecimal() and len(text) < 6 for text in said):  # noqa: PLR2004 - at most 1,000
        return None
    return int(said[0]), int(said[1])


ROUTES = (jobs_page, job_rows, retry_dead)
