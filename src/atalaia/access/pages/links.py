"""First start, and choosing a password by a link."""

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.access.options import AccessOptions
from atalaia.access.pages.forms import entered, going_on, query_of, refused, typed
from atalaia.access.requests import AnyRequest, visitor_of
from atalaia.access.service.links import FIRST_START, LinkService
from atalaia.access.service.people import CHOOSE_PASSWORD
from atalaia.core.errors import AtalaiaError, Gone
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.pages import Pages

WELCOME = "/welcome"
_FIRST_START_PAGE = "access/first_start.html"
_CHOOSE_PAGE = "access/choose_password.html"

AnyAnswer = Response[str] | Redirect


@get(FIRST_START, guards=[requires(Permission.PUBLIC)], include_in_schema=False)
async def show_first_start(
    request: AnyRequest, pages: NamedDependency[Pages], link_service: NamedDependency[LinkService]
) -> Response[str]:
    params = query_of(request)
    token = params.get("token", "")
    await link_service.check_first_start(token)
    return await pages.page(
        request,
        _FIRST_START_PAGE,
        title=pages.translator(request).translate(N_("Welcome to Atalaia")),
        values={"token": token, "email": "", "name": ""},
        params=params,
        errors={},
    )


@post(FIRST_START, guards=[requires(Permission.PUBLIC, is_form=True)], include_in_schema=False)
async def make_first_admin(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    link_service: NamedDependency[LinkService],
    access_options: NamedDependency[AccessOptions],
) -> AnyAnswer:
    form = await typed(request)
    values = {name: form.get(name, "") for name in ("token", "email", "name")}
    try:
        result = await link_service.make_first_admin(
            values["token"],
            email=values["email"],
            name=values["name"],
            password=form.get("password", ""),
            visitor=visitor_of(request, access_options.cookies),
        )
    except Gone:
        raise
    except AtalaiaError as error:
        title = pages.translator(request).translate(N_("Welcome to Atalaia"))
        return await refused(
            request,
            pages,
            _FIRST_START_PAGE,
            error=error,
            title=title,
            values=values,
            params={"token": values["token"]},
        )
    return entered(result, options=access_options, next_address=WELCOME)


@get(WELCOME, guards=[requires(Permission.CHECKS_WRITE)], include_in_schema=False)
async def show_welcome(request: AnyRequest, pages: NamedDependency[Pages]) -> Response[str]:
    title = pages.translator(request).translate(N_("The hub is yours"))
    return await pages.page(request, "access/welcome.html", title=title)


@get(CHOOSE_PASSWORD, guards=[requires(Permission.PUBLIC)], include_in_schema=False)
async def show_choose(
    request: AnyRequest, pages: NamedDependency[Pages], link_service: NamedDependency[LinkService]
) -> Response[str]:
    params = query_of(request)
    token = params.get("token", "")
    person = await link_service.holder(token)
    title = pages.translator(request).translate(N_("Choose a password"))
    values = {"token": token}
    return await pages.page(
        request, _CHOOSE_PAGE, title=title, email=person.email, values=values, params=params, errors={}
    )


@post(CHOOSE_PASSWORD, guards=[requires(Permission.PUBLIC, is_form=True)], include_in_schema=False)
async def choose_password(
    request: AnyRequest,
    pages: NamedDependency[Pages],
    link_service: NamedDependency[LinkService],
    access_options: NamedDependency[AccessOptions],
) -> AnyAnswer:
    form = await typed(request)
    token = form.get("token", "")
    person = await link_service.holder(token)
    try:
        result = await link_service.choose_password(
            token, form.get("password", ""), visitor=visitor_of(request, access_options.cookies)
        )
    except Gone:
        raise
    except AtalaiaError as error:
        title = pages.translator(request).translate(N_("Choose a password"))
        values = {"token": token}
        return await refused(
            request, pages, _CHOOSE_PAGE, error=error, title=title, email=person.email, values=values, params=values
        )
    return entered(result, options=access_options) if result is not None else going_on("/sign-in")


ROUTES = (show_first_start, make_first_admin, show_welcome, show_choose, choose_password)
