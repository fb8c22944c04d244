"""A job started by hand: a form made of what its type says of itself."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect

from atalaia.access.requests import principal_of
from atalaia.core.errors import InvalidField, InvalidFields, NotFound
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.jobs.pages.edges import CREATE, AnyRequest, Around, AroundJobs, Jobs, ThePages, words_of
from atalaia.jobs.pages.waiting import Reason, upstream_reasons, worker_reasons
from atalaia.jobs.service import JobsService
from atalaia.jobs.service.creating import ReusedKey
from atalaia.sdk.jobs import FormField, JobType
from atalaia.web.pages import Pages, see_other

# RFC 8259: a number has no leading zero; ids of some systems have.
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_DIGITS: Final = re.compile(r"-?\d+(\.\d+)?")
_MAX_TEXT: Final = 2_000
MAX_KEY: Final = 100
IS_EMPTY: Final = N_("This is needed.")
_NO_NUMBER: Final = N_("This must be a number.")
_TOO_LONG: Final = N_("This is longer than 2,000 characters.")
_NOT_SHOWN: Final = N_("Control characters are not possible here.")


@get("/jobs/new", guards=CREATE, include_in_schema=False)
async def new_page(
    request: AnyRequest,
    pages: ThePages,
    jobs: Jobs,
    around_jobs: AroundJobs,
) -> Response[str]:
    chosen = request.query_params.get("type", "")
    return await _form(request, pages, jobs, around_jobs, chosen=chosen)


@post("/jobs/new", guards=CREATE, status_code=200, include_in_schema=False)
async def start(request: AnyRequest, pages: ThePages, jobs: Jobs, around_jobs: AroundJobs) -> Response[str] | Redirect:
    form = {name: str(value) for name, value in (await request.form()).items()}
    job_type = jobs.types.find(form.get("type", ""))
    if job_type is None:
        raise NotFound(N_("there is no such type of job"))
    key = form.get("key", "")[:MAX_KEY] or new_id()
    try:
        payload = payload_of(job_type.form, form)
        made = await jobs.enqueue(job_type.name, payload, by=principal_of(request), idempotency_key=key)
    except InvalidField as error:
        errors = _errors_of(error, job_type, request, pages)
        key = new_id() if isinstance(error, ReusedKey) else key
        return await _form(request, pages, jobs, around_jobs, chosen=job_type.name, values=form, errors=errors, key=key)
    return see_other(f"/jobs/{made.id}")


def payload_of(fields: Sequence[FormField], form: Mapping[str, str]) -> str:
    """The payload as JSON text: a number as it was typed, a number that JSON has not (007) as a text.

    Raises: InvalidFields: which ones, and why.
    """
    wrong: dict[str, str] = {}
    parts: list[str] = []
    for field in fields:
        text = form.get(field.name, "").replace("\r\n", "\n").strip()
        if why := _what_is_wrong(field, text):
            wrong[field.name] = why
        elif text:
            is_number = field.kind == "number" and _NUMBER.fullmatch(text)
            value = text if is_number else msgspec.json.encode(text).decode()
            parts.append(f"{msgspec.json.encode(field.name).decode()}:{value}")
    if wrong:
        raise InvalidFields(wrong, "Missing, empty or wrong: {names}.")
    return "{" + ",".join(parts) + "}"


def _what_is_wrong(field: FormField, text: str) -> str | None:
    if not text:
        return IS_EMPTY if field.is_required else None
    if len(text) > _MAX_TEXT:
        return _TOO_LONG
    if any(not each.isprintable() and each not in "\n\t" for each in text):
        return _NOT_SHOWN
    return _NO_NUMBER if field.kind == "number" and not _DIGITS.fullmatch(text) else None


def _errors_of(error: InvalidField, job_type: JobType, request: AnyRequest, pages: Pages) -> dict[str, str]:
    if isinstance(error, InvalidFields):
        translate = pages.translator(request).translate
        return {name: translate(why) for name, why in error.fields.items()}
    if isinstance(error, ReusedKey):
        translate = pages.translator(request).translate
        return {"": translate("This form was sent before, with other values. Send it again to start another job.")}
    name = error.field.removeprefix("payload").lstrip(".")
    known = {field.name for field in job_type.form}
    return {name if name in known else "": words_of(error, request, pages)}


async def _form(
    request: AnyRequest,
    pages: Pages,
    jobs: JobsService,
    around: Around,
    *,
    chosen: str,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    key: str = "",
) -> Response[str]:
    types = [each for each in jobs.types.all() if each.form]
    job_type = next((each for each in types if each.name == chosen), types[0] if len(types) == 1 else None)
    return await pages.page(
        request,
        "jobs/new.html",
        status=422 if errors else 200,
        title=pages.translator(request).translate("Start a job"),
        types=types,
        job_type=job_type,
        reasons=await _hindrances(jobs, around, job_type) if job_type else [],
        values=values or dict(request.query_params),
        errors=errors or {},
        key=key or new_id(),
    )


async def _hindrances(jobs: JobsService, around: Around, job_type: JobType) -> list[Reason]:
    """Why a job of this type would not be begun now."""
    found = upstream_reasons(await around.upstream(job_type.upstream))
    return found + worker_reasons(job_type.name, await jobs.workers.all(), job_type)


ROUTES = (new_page, start)
