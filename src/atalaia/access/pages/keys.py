"""API keys: shown once, then only by their beginning."""

from datetime import timedelta
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.access.pages.forms import going_on, query_of, refused
from atalaia.access.requests import AnyRequest, client_of, principal_of
from atalaia.access.roles import SCOPE_WORDS
from atalaia.access.service.keys import KeyService
from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.permissions import SIGNAL_SCOPE_PREFIX, Permission
from atalaia.core.translations import N_
from atalaia.web.cursors import DEFAULT_LIMIT
from atalaia.web.pages import Pages

KEYS = "/keys"
MAX_DAYS = 3650
_GUARDS = [requires(Permission.KEYS_ADMIN)]

AnyAnswer = Response[str] | Redirect


@get(KEYS, guards=_GUARDS, include_in_schema=False)
async def show_keys(
    request: AnyRequest, pages: NamedDependency[Pages], key_service: NamedDependency[KeyService]
) -> Response[str]:
    params = query_of(request)
    keys, after = await key_service.page(cursor=params.get("cursor"), limit=DEFAULT_LIMIT)
    now = key_service.now()
    rows = [{"key": key, "is_valid": key.is_valid(now)} for key in keys]
    return await pages.page(
        request,
        "access/keys.html",
        rows=len(rows),
        title=pages.translator(request).translate(N_("API keys")),
        keys=rows,
        next=after,
        params=params,
    )


@get("/keys/new", guards=_GUARDS, include_in_schema=False)
async def show_new_key(request: AnyRequest, pages: NamedDependency[Pages]) -> Response[str]:
    values: dict[str, Any] = {"name": "", "scopes": [], "signal": "", "days": "", "value": ""}
    return await pages.page(request, "access/key_new.html", values=values, errors={}, **_new_context(request, pages))


@post(KEYS, guards=_GUARDS, include_in_schema=False)
async def create_key(
    request: AnyRequest, pages: NamedDependency[Pages], key_service: NamedDependency[KeyService]
) -> Response[str]:
    form = await request.form()
    values = {name: str(form.get(name, "")).strip() for name in ("name", "signal", "days", "value")}
    scopes = [scope for scope in form.getall("scopes", []) if isinstance(scope, str)]
    signals = [f"{SIGNAL_SCOPE_PREFIX}{name}" for name in values["signal"].replace(",", " ").split()]
    try:
        days = _days(values["days"])
        made = await key_service.create(
            principal_of(request),
            name=values["name"],
            scopes=[*scopes, *signals],
            expires_at=key_service.now() + timedelta(days=days) if days else None,
            value=values["value"] or None,
            address=client_of(request),
        )
    except AtalaiaError as error:
        shown = {**values, "scopes": scopes, "value": ""}
        context = _new_context(request, pages)
        return await refused(request, pages, "access/key_new.html", error=error, values=shown, **context)
    title = pages.translator(request).translate(N_("Your new API key"))
    return await pages.page(
        request, "access/key_created.html", title=title, key=made.key, value=made.value, is_weak=made.is_weak
    )


@post("/keys/{key_id:str}/revoke", guards=_GUARDS, include_in_schema=False)
async def revoke_key(request: AnyRequest, key_service: NamedDependency[KeyService], key_id: FromPath[str]) -> Redirect:
    await key_service.revoke(principal_of(request), key_id, address=client_of(request))
    return going_on(KEYS)


def _days(text: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MAX_DAYS:
        raise InvalidField("days", N_("days: a number from 1 to {maximum}"), maximum=MAX_DAYS)
    return int(text)


def _new_context(request: AnyRequest, pages: Pages) -> dict[str, Any]:
    title = pages.translator(request).translate(N_("New API key"))
    return {"title": title, "scope_options": list(SCOPE_WORDS.items())}


ROUTES = (show_keys, show_new_key, create_key, revoke_key)
