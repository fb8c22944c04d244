"""The templates in force, and one action's forms with their history."""

from typing import Annotated, Final

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.captures.pages.captures import READ, AnyRequest, Captures, ThePages
from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.pages import see_other

_WRITE = [requires(Permission.UPSTREAMS_WRITE)]
Version = Annotated[int | None, QueryParameter(ge=0, le=2**31 - 1)]
_MAX_DIGITS: Final = 9


@get("/captures/templates", guards=READ, include_in_schema=False)
async def templates_page(
    request: AnyRequest, pages: ThePages, captures: Captures, upstream: FromQuery[str] = ""
) -> Response[str]:
    titles = dict(captures.upstreams())
    chosen = upstream or next(iter(titles), "")
    active = await captures.active_templates(chosen) if chosen else None
    versions = sorted(active.versions, key=lambda each: each.action) if active else []
    return await pages.page(
        request,
        "captures/templates.html",
        title=pages.translator(request).translate("Frame templates"),
        rows=len(versions),
        titles=titles,
        upstream=chosen,
        versions=versions,
        etag=active.etag if active else "",
    )


@get("/captures/templates/{upstream:str}/{action:str}", guards=READ, include_in_schema=False)
async def template_page(
    request: AnyRequest,
    pages: ThePages,
    captures: Captures,
    upstream: FromPath[str],
    action: FromPath[str],
    version: Version = None,
) -> Response[str]:
    history = await captures.history(upstream, action)
    shown = history.active if version is None else history.version(version)
    return await pages.page(
        request,
        "captures/template.html",
        title=action,
        history=history,
        shown=shown,
        upstream_title=captures.upstreams().get(upstream, upstream),
    )


@post("/captures/templates/{upstream:str}/{action:str}/activate", guards=_WRITE, include_in_schema=False)
async def activate_form(
    request: AnyRequest, captures: Captures, upstream: FromPath[str], action: FromPath[str]
) -> Redirect:
    text = str((await request.form()).get("version") or "")
    if not text.isdecimal() or len(text) > _MAX_DIGITS:
        raise InvalidField("version", N_("a whole number is expected"))
    await captures.activate(
        principal_of(request), upstream=upstream, action=action, version=int(text), address=client_of(request)
    )
    return see_other(f"/captures/templates/{upstream}/{action}")


ROUTES = (templates_page, template_page, activate_form)
