"""A signal is made, and changed."""

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from atalaia.core.errors import AtalaiaError, Conflict, Forbidden, InvalidField
from atalaia.core.translations import N_
from atalaia.signals.model.signals import COMMAND, SignalMade, SignalOut
from atalaia.signals.pages import signal_form
from atalaia.signals.pages.edges import (
    NEW,
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
from atalaia.signals.service import SignalsService
from atalaia.web.pages import Pages, see_other

# What the form itself can say; anything else is no fault of what was typed.
_TOLD = (InvalidField, Conflict, Forbidden)


@get(NEW, guards=WRITE, include_in_schema=False)
async def new_page(
    request: AnyRequest, pages: ThePages, signals: Signals, around_signals: AroundSignals
) -> Response[str]:
    values = signal_form.NEW | {"task": request.query_params.get("task", "")}
    return await _form(request, pages, signals, around_signals, values=values)


@post(NEW, guards=WRITE, status_code=200, include_in_schema=False)
async def create(
    request: AnyRequest, pages: ThePages, signals: Signals, around_signals: AroundSignals
) -> Response[str] | Redirect:
    form = await _sent(request)
    try:
        made = await signals.create(signal_form.new_of(form), actor_of(request))
    except _TOLD as error:
        return await _again(request, pages, signals, around_signals, form=form, error=error)
    return await _done(request, pages, made)


@get("/signals/{name:str}/edit", guards=WRITE, include_in_schema=False)
async def edit(
    request: AnyRequest, pages: ThePages, signals: Signals, around_signals: AroundSignals, name: Name
) -> Response[str]:
    signal = await signals.reading.one(name)
    values = signal_form.values_of(signal, url=await signals.reading.address_of(name))
    return await _form(request, pages, signals, around_signals, values=values, signal=signal)


@post("/signals/{name:str}/edit", guards=WRITE, status_code=200, include_in_schema=False)
async def change(
    request: AnyRequest, pages: ThePages, signals: Signals, around_signals: AroundSignals, name: Name
) -> Response[str] | Redirect:
    form = await _sent(request)
    try:
        made = await signals.change(name, signal_form.change_of(form), actor_of(request))
    except _TOLD as error:
        signal = await signals.reading.one(name)
        return await _again(request, pages, signals, around_signals, form=form, error=error, signal=signal)
    return await _done(request, pages, made)


async def _sent(request: AnyRequest) -> dict[str, Any]:
    return {name: value for name, value in (await request.form()).items() if name != "csrf_token"}


async def _done(request: AnyRequest, pages: Pages, made: SignalMade) -> Response[str] | Redirect:
    """On to its page; a secret that was made here is shown first, this once."""
    href = href_of(made.signal.name)
    if made.secret is None:
        return see_other(href)
    title = pages.translator(request).translate(N_("The signal's secret"))
    return await pages.page(request, "signals/made.html", title=title, made=made, href=href)


async def _again(
    request: AnyRequest,
    pages: Pages,
    signals: SignalsService,
    around: Around,
    *,
    form: Mapping[str, Any],
    error: AtalaiaError,
    signal: SignalOut | None = None,
) -> Response[str]:
    field = "name" if isinstance(error, Conflict) else signal_form.field_of(error)
    errors = {field: words_of(error, request, pages)}
    values = signal_form.typed_values(form) | ({"name": signal.name} if signal else {})
    return await _form(request, pages, signals, around, values=values, errors=errors, signal=signal)


async def _form(
    request: AnyRequest,
    pages: Pages,
    signals: SignalsService,
    around: Around,
    *,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    signal: SignalOut | None = None,
) -> Response[str]:
    translate = pages.translator(request).translate
    tasks = {name: title for name, title in signals.reading.tasks().items() if name != COMMAND or around.commands}
    if values["task"] and values["task"] not in tasks:
        tasks |= {values["task"]: values["task"]}
    return await pages.page(
        request,
        "signals/form.html",
        status=422 if errors else 200,
        title=translate(N_("Change {name}"), name=signal.name) if signal else translate(N_("New signal")),
        signal=signal,
        href=href_of(signal.name) if signal else "/signals",
        action=f"{href_of(signal.name)}/edit" if signal else NEW,
        values=values,
        errors=errors or {},
        # What an integration gives comes first: it is what a signal is usually for.
        tasks=[
            (name, translate(tasks[name]), name) for name in sorted(tasks, key=lambda name: ("." not in name, name))
        ],
        commands=[(name, name) for name in around.commands],
    )


ROUTES = (new_page, create, edit, change)
