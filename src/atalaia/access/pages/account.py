"""One's own account."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.access.options import AccessOptions
from atalaia.access.pages.forms import ACCOUNT, errors_of, going_on, typed
from atalaia.access.requests import AnyRequest, client_of, principal_of
from atalaia.access.service.account import AccountService, Preferences, timezones
from atalaia.access.user_agents import browser_name
from atalaia.core.errors import AtalaiaError
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.errors import status_of
from atalaia.web.pages import THEME_COOKIE, Pages

SECOND_FACTOR = "/account/second-factor"
_GUARDS = [requires(Permission.OWN_ACCOUNT)]

AnyAnswer = Response[str] | Redirect


@get(ACCOUNT, guards=_GUARDS, include_in_schema=False)
async def show_account(
    request: AnyRequest, pages: NamedDependency[Pages], account_service: NamedDependency[AccountService]
) -> Response[str]:
    return await _account(request, pages, account_service)


@post("/account/preferences", guards=_GUARDS, include_in_schema=False)
async def set_preferences(
    request: AnyRequest, pages: NamedDependency[Pages], account_service: NamedDependency[AccountService]
) -> AnyAnswer:
    form = await typed(request)
    preferences = Preferences(
        name=form.get("name", ""),
        locale=form.get("locale") or None,
        theme=form.get("theme") or None,
        timezone=form.get("timezone") or None,
    )
    try:
        await account_service.set_preferences(principal_of(request), preferences, address=client_of(request))
    except AtalaiaError as error:
        return await _account(request, pages, account_service, error=error, values=form)
    response = going_on(ACCOUNT)
    # The browser's own choice would otherwise stand before the one made here.
    response.delete_cookie(THEME_COOKIE, path="/")
    return response


@post("/account/theme", guards=_GUARDS, include_in_schema=False, status_code=204)
async def set_theme(request: AnyRequest, account_service: NamedDependency[AccountService]) -> None:
    await account_service.set_theme(principal_of(request), (await typed(request)).get("theme", ""))


@post("/account/password", guards=_GUARDS, include_in_schema=False)
async def change_password(
    request: AnyRequest, pages: NamedDependency[Pages], account_service: NamedDependency[AccountService]
) -> AnyAnswer:
    form = await typed(request)
    try:
        await account_service.change_password(
            principal_of(request),
            current=form.get("current_password", ""),
            new=form.get("new_password", ""),
            address=client_of(request),
        )
    except AtalaiaError as error:
        return await _account(request, pages, account_service, error=error)
    return going_on(f"{ACCOUNT}?done=password")


@post(SECOND_FACTOR, guards=_GUARDS, include_in_schema=False)
async def begin_second_factor(request: AnyRequest, account_service: NamedDependency[AccountService]) -> Redirect:
    await account_service.begin_second_factor(principal_of(request))
    return going_on(SECOND_FACTOR)


@get(SECOND_FACTOR, guards=_GUARDS, include_in_schema=False)
async def show_second_factor(
    request: AnyRequest, pages: NamedDependency[Pages], account_service: NamedDependency[AccountService]
) -> AnyAnswer:
    return await _second_factor(request, pages, account_service, status=200, errors={})


@post("/account/second-factor/confirm", guards=_GUARDS, include_in_schema=False)
async def confirm_second_factor(
    request: AnyRequest, pages: NamedDependency[Pages], account_service: NamedDependency[AccountService]
) -> AnyAnswer:
    form = await typed(request)
    try:
        codes = await account_service.confirm_second_factor(
            principal_of(request), form.get("code", ""), address=client_of(request)
        )
    except AtalaiaError as error:
        errors = errors_of(error, pages.translator(request))
        return await _second_factor(request, pages, account_service, status=status_of(error), errors=errors)
    return await _recovery_codes(request, pages, codes)


@post("/account/second-factor/remove", guards=_GUARDS, include_in_schema=False)
async def remove_second_factor(
    request: AnyRequest, pages: NamedDependency[Pages], account_service: NamedDependency[AccountService]
) -> AnyAnswer:
    form = await typed(request)
    try:
        await account_service.remove_second_factor(
            principal_of(request), password=form.get("password", ""), address=client_of(request)
        )
    except AtalaiaError as error:
        return await _account(request, pages, account_service, error=error)
    return going_on(ACCOUNT)


@post("/account/recovery-codes", guards=_GUARDS, include_in_schema=False)
async def replace_recovery_codes(
    request: AnyRequest, pages: NamedDependency[Pages], account_service: NamedDependency[AccountService]
) -> AnyAnswer:
    form = await typed(request)
    try:
        codes = await account_service.replace_recovery_codes(
            principal_of(request), password=form.get("password", ""), address=client_of(request)
        )
    except AtalaiaError as error:
        return await _account(request, pages, account_service, error=error)
    return await _recovery_codes(request, pages, codes)


@post("/account/sessions/{session_id:str}/end", guards=_GUARDS, include_in_schema=False)
async def end_session(
    request: AnyRequest,
    account_service: NamedDependency[AccountService],
    access_options: NamedDependency[AccessOptions],
    session_id: FromPath[str],
) -> Redirect:
    principal = principal_of(request)
    await account_service.end_session(principal, session_id, address=client_of(request))
    names = access_options.cookies
    is_own = session_id == principal.session_id
    return going_on("/sign-in", [names.drop(names.session)]) if is_own else going_on(ACCOUNT)


@post("/account/sessions/end-others", guards=_GUARDS, include_in_schema=False)
async def end_other_sessions(request: AnyRequest, account_service: NamedDependency[AccountService]) -> Redirect:
    await account_service.end_other_sessions(principal_of(request), address=client_of(request))
    return going_on(ACCOUNT)


async def _account(
    request: AnyRequest,
    pages: Pages,
    account_service: AccountService,
    *,
    error: AtalaiaError | None = None,
    values: dict[str, str] | None = None,
) -> Response[str]:
    principal = principal_of(request)
    view = await account_service.view(principal.id)
    person = view.person
    kept = {"name": person.name, "locale": person.locale, "theme": person.theme, "timezone": person.timezone}
    sessions = [
        {"session": session, "browser": browser_name(session.user_agent), "is_own": session.id == principal.session_id}
        for session in view.sessions
    ]
    return await pages.page(
        request,
        "access/account.html",
        status=status_of(error) if error else 200,
        title=pages.translator(request).translate(N_("My account")),
        person=person,
        sessions=sessions,
        recovery_codes_left=view.recovery_codes_left,
        values=kept if values is None else values,
        timezones=sorted(timezones()),
        done=request.query_params.get("done", ""),
        errors=errors_of(error, pages.translator(request)) if error else {},
    )


async def _second_factor(
    request: AnyRequest, pages: Pages, account_service: AccountService, *, status: int, errors: dict[str, Any]
) -> AnyAnswer:
    enrolment = await account_service.pending_second_factor(principal_of(request))
    if enrolment is None:
        return going_on(ACCOUNT)
    title = pages.translator(request).translate(N_("Second factor"))
    return await pages.page(
        request, "access/second_factor.html", status=status, title=title, enrolment=enrolment, errors=errors
    )


async def _recovery_codes(request: AnyRequest, pages: Pages, codes: list[str]) -> Response[str]:
    title = pages.translator(request).translate(N_("Recovery codes"))
    return await pages.page(request, "access/recovery_codes.html", title=title, codes=codes)


ROUTES = (
    show_account,
    set_preferences,
    set_theme,
    change_password,
    begin_second_factor,
    show_second_factor,
    confirm_second_factor,
    remove_second_factor,
    replace_recovery_codes,
    end_session,
    end_other_sessions,
)
