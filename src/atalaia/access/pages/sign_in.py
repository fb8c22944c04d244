"""Signing in and out."""

from typing import Any
from urllib.parse import quote

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from atalaia.access.cookies import cookies_of
from atalaia.access.guards import requires
from atalaia.access.model import TOKEN_TTL_S, TokenKind
from atalaia.access.options import AccessOptions
from atalaia.access.pages.forms import entered, going_on, query_of, refused, typed
from atalaia.access.requests import AnyRequest, principal_of, visitor_of
from atalaia.access.service.entering import NeedsCode
from atalaia.access.service.links import LinkService
from atalaia.access.service.sign_in import SignInService
from atalaia.access.sessions import safe_next
from atalaia.core.errors import AtalaiaError, NotFound, Unauthenticated
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.pages import Pages, viewer_of

SIGN_IN = "/sign-in"
CODE = "/sign-in/code"
FORGOT = "/forgot-password"
_SIGN_IN_PAGE = "access/sign_in.html"
_CODE_PAGE = "access/sign_in_code.html"
_FORGOT_PAGE = "access/forgot_password.html"

AnyAnswer = Response[str] | Redirect


@get(SIGN_IN, guards=[requires(Permission.PUBLIC)], include_in_schema=False)
async def show_sign_in(
    request: AnyRequest, pages: NamedDependency[Pages], access_options: NamedDependency[AccessOptions]
) -> AnyAnswer:
    params = query_of(request)
    viewer = viewer_of(request)
    if viewer is not None and viewer.kind == "person":
        return going_on(safe_next(params.get("next")))
    return await pages.page(
        request,
        _SIGN_IN_PAGE,
        title=pages.translator(request).translate(N_("Sign in")),
        values={"email": "", "next": params.get("next", "")},
        params=params,
        can_mail=access_options.can_mail(),
        errors={},
    )


@post(SIGN_IN, guards=[requires(Permission.PUBLIC, is_form=True)], include_in_schema=False)
async def sign_in(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    sign_in_service: NamedDependency[SignInService],
    access_options: NamedDependency[AccessOptions],
) -> AnyAnswer:
    form = await typed(request)
    values = {"email": form.get("email", ""), "next": form.get("next", "")}
    visitor = visitor_of(request, access_options.cookies)
    try:
        result = await sign_in_service.sign_in(values["email"], form.get("password", ""), visitor=visitor)
    except AtalaiaError as error:
        return await refused(
            request,
            pages,
            _SIGN_IN_PAGE,
            error=error,
            title=pages.translator(request).translate(N_("Sign in")),
            values=values,
            params={},
            can_mail=access_options.can_mail(),
        )
    if isinstance(result, NeedsCode):
        names = access_options.cookies
        cookie = names.make(names.factor, result.factor_token, ttl_s=TOKEN_TTL_S[TokenKind.SECOND_FACTOR])
        following = safe_next(values["next"], fallback="")
        return going_on(CODE + (f"?next={_quoted(following)}" if following else ""), [cookie])
    return entered(result, options=access_options, next_address=values["next"])


@get(CODE, guards=[requires(Permission.PUBLIC)], include_in_schema=False)
async def show_code(
    request: AnyRequest, pages: NamedDependency[Pages], access_options: NamedDependency[AccessOptions]
) -> AnyAnswer:
    if access_options.cookies.factor not in cookies_of(request.scope):
        return going_on(SIGN_IN)
    params = query_of(request)
    title = pages.translator(request).translate(N_("One more step"))
    values = {"next": params.get("next", "")}
    return await pages.page(request, _CODE_PAGE, title=title, values=values, params=params, errors={})


@post(CODE, guards=[requires(Permission.PUBLIC, is_form=True)], include_in_schema=False)
async def give_code(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    sign_in_service: NamedDependency[SignInService],
    access_options: NamedDependency[AccessOptions],
) -> AnyAnswer:
    form = await typed(request)
    names = access_options.cookies
    token = cookies_of(request.scope).get(names.factor, "")
    try:
        result = await sign_in_service.give_code(token, form.get("code", ""), visitor=visitor_of(request, names))
    except AtalaiaError as error:
        is_over = isinstance(error, Unauthenticated) and error.code == "sign_in_again"
        title = pages.translator(request).translate(N_("Sign in") if is_over else N_("One more step"))
        return await refused(
            request,
            pages,
            _SIGN_IN_PAGE if is_over else _CODE_PAGE,
            error=error,
            title=title,
            values={"email": "", "next": form.get("next", "")},
            params={},
            can_mail=access_options.can_mail(),
        )
    return entered(result, options=access_options, next_address=form.get("next"))


@post("/sign-out", guards=[requires(Permission.OWN_ACCOUNT)], include_in_schema=False)
async def sign_out(
    request: AnyRequest, sign_in_service: NamedDependency[SignInService], access_options: NamedDependency[AccessOptions]
) -> Redirect:
    principal = principal_of(request)
    if principal.session_id is not None:
        await sign_in_service.sign_out(principal.session_id, person_id=principal.id)
    names = access_options.cookies
    response = going_on(SIGN_IN, [names.drop(names.session)])
    response.headers["clear-site-data"] = '"cache"'
    return response


@get(FORGOT, guards=[requires(Permission.PUBLIC)], include_in_schema=False)
async def show_forgot(
    request: AnyRequest, pages: NamedDependency[Pages], access_options: NamedDependency[AccessOptions]
) -> Response[str]:
    title = pages.translator(request).translate(N_("Forgot your password?"))
    can_mail = access_options.can_mail()
    return await pages.page(
        request, _FORGOT_PAGE, title=title, values={"email": ""}, params={}, can_mail=can_mail, is_sent=False, errors={}
    )


@post(FORGOT, guards=[requires(Permission.PUBLIC, is_form=True)], include_in_schema=False)
async def ask_link(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    link_service: NamedDependency[LinkService],
    access_options: NamedDependency[AccessOptions],
) -> Response[str]:
    if not access_options.can_mail():
        raise NotFound(N_("this hub sends no e-mail: ask an admin for a link"))
    form = await typed(request)
    context: dict[str, Any] = {
        "title": pages.translator(request).translate(N_("Forgot your password?")),
        "values": {"email": form.get("email", "")},
        "params": {},
        "can_mail": True,
    }
    try:
        await link_service.ask_link(form.get("email", ""), visitor=visitor_of(request, access_options.cookies))
    except AtalaiaError as error:
        return await refused(request, pages, _FORGOT_PAGE, error=error, is_sent=False, **context)
    return await pages.page(request, _FORGOT_PAGE, is_sent=True, errors={}, **context)


def _quoted(path: str) -> str:
    return quote(path, safe="/")


ROUTES = (show_sign_in, sign_in, show_code, give_code, sign_out, show_forgot, ask_link)
