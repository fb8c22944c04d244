"""A job of any type started by hand: type, payload as JSON text, and what else the API takes."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect
from msgspec import Raw

from atalaia.access.requests import principal_of
from atalaia.core.errors import AtalaiaError, BadInput, InvalidField, InvalidFields, TooLarge
from atalaia.core.formats import zone
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.jobs.model.wire import JobIn
from atalaia.jobs.pages.edges import CREATE, AnyRequest, Jobs, ThePages, words_of
from atalaia.jobs.pages.starting import IS_EMPTY, MAX_KEY
from atalaia.jobs.service import JobsService
from atalaia.jobs.service.creating import ReusedKey
from atalaia.sdk.fidelity import NotJson, parse
from atalaia.web.pages import Pages, see_other

FIELDS: Final = ("type", "payload", "queue", "priority", "run_at", "unique_key", "concurrency_key", "max_attempts")
_MOST: Final = {"type": 200, "queue": 200, "unique_key": 500, "concurrency_key": 500}
_BOUNDS: Final = {"priority": (-1000, 1000), "max_attempts": (1, 100)}
_MOST_DIGITS: Final = 5


class _Wrong(Exception):
    """Why a field can't be taken; gathered with those of the other fields."""

    def __init__(self, text: str, **limits: int) -> None:
        super().__init__(text)
        self.text = text
        self.limits = limits


@get("/jobs/new/free", guards=CREATE, include_in_schema=False)
async def free_page(request: AnyRequest, pages: ThePages, jobs: Jobs) -> Response[str]:
    return await _form(request, pages, jobs, values=dict(request.query_params))


@post("/jobs/new/free", guards=CREATE, status_code=200, include_in_schema=False)
async def start_free(request: AnyRequest, pages: ThePages, jobs: Jobs) -> Response[str] | Redirect:
    form = {name: str(value) for name, value in (await request.form()).items()}
    key = form.get("key", "")[:MAX_KEY] or new_id()
    try:
        job = job_of(form, timezone=zone(pages.timezone_of(request)), pages=pages, request=request)
        body = msgspec.json.encode({name: form.get(name, "") for name in FIELDS})
        made = await jobs.create(job, by=principal_of(request), key=key, body=body)
    except (InvalidField, BadInput, TooLarge) as error:
        key = new_id() if isinstance(error, ReusedKey) else key
        errors = _errors_of(error, request, pages)
        return await _form(request, pages, jobs, values=form, errors=errors, key=key)
    return see_other(f"/jobs/{made.jobs[0].id}")


def job_of(form: Mapping[str, str], *, timezone: ZoneInfo, pages: Pages, request: AnyRequest) -> JobIn:
    """Raises: InvalidFields: which ones, and why, in the reader's language."""
    translate = pages.translator(request).translate
    read: dict[str, Callable[[], object]] = {
        "type": lambda: _text(form, "type", is_needed=True),
        "payload": lambda: Raw(payload_of(form.get("payload", "")).encode()),
        "queue": lambda: _text(form, "queue") or "default",
        "priority": lambda: _number(form, "priority") or 0,
        "run_at": lambda: _instant(form.get("run_at", "").strip(), timezone),
        "unique_key": lambda: _text(form, "unique_key"),
        "concurrency_key": lambda: _text(form, "concurrency_key"),
        "max_attempts": lambda: _number(form, "max_attempts"),
    }
    wrong: dict[str, str] = {}
    values: dict[str, object] = {}
    for name, reading in read.items():
        try:
            values[name] = reading()
        except _Wrong as error:
            wrong[name] = translate(error.text, **error.limits)
        except NotJson as error:
            wrong[name] = words_of(error, request, pages)
    if wrong:
        raise InvalidFields(wrong, "Missing, empty or wrong: {names}.")
    return JobIn(**values)  # type: ignore[arg-type]  # each was read as what it is


def payload_of(typed: str) -> str:
    """The JSON text as it was typed, to the byte: a form sends CRLF for each line's end, and no JSON text has one inside.

    Raises: NotJson, _Wrong: there is none.
    """
    text = typed.replace("\r\n", "\n").strip(" \t\r\n")
    if not text:
        raise _Wrong(IS_EMPTY)
    try:
        parse(text)
    except RecursionError as error:
        raise _Wrong(N_("This is nested too deep.")) from error
    return text


def _text(form: Mapping[str, str], name: str, *, is_needed: bool = False) -> str | None:
    text = form.get(name, "").strip()
    if len(text) > _MOST[name]:
        raise _Wrong(N_("This is longer than {limit} characters."), limit=_MOST[name])
    if not text and is_needed:
        raise _Wrong(IS_EMPTY)
    return text or None


def _number(form: Mapping[str, str], name: str) -> int | None:
    text = form.get(name, "").strip()
    if not text:
        return None
    low, high = _BOUNDS[name]
    is_number = text.isascii() and text.removeprefix("-").isdecimal() and len(text) <= _MOST_DIGITS
    if not is_number or not low <= int(text) <= high:
        raise _Wrong(N_("A whole number from {low} to {high}."), low=low, high=high)
    return int(text)


def _instant(text: str, timezone: ZoneInfo) -> datetime | None:
    """Typed in the reader's zone."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=timezone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _Wrong(N_("A day and a time are needed.")) from error


def _errors_of(error: AtalaiaError, request: AnyRequest, pages: Pages) -> dict[str, str]:
    if isinstance(error, InvalidFields):
        return dict(error.fields)
    if isinstance(error, ReusedKey):
        translate = pages.translator(request).translate
        return {"": translate("This form was sent before, with other values. Send it again to start another job.")}
    name = str(getattr(error, "field", "payload")).partition(".")[0]
    return {name if name in FIELDS else "": words_of(error, request, pages)}


async def _form(
    request: AnyRequest,
    pages: Pages,
    jobs: JobsService,
    *,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    key: str = "",
) -> Response[str]:
    types, queues = await jobs.reading.lanes()
    return await pages.page(
        request,
        "jobs/new_free.html",
        status=422 if errors else 200,
        title=pages.translator(request).translate("Start a job of another type"),
        values=values,
        errors=errors or {},
        key=key or new_id(),
        types=types,
        queues=queues,
        zone_name=pages.timezone_of(request),
    )


ROUTES = (free_page, start_free)
