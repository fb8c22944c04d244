"""Forms of routes."""

from litestar import Controller, Response, get, post
from litestar.params import FromQuery
from litestar.response import Redirect

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.notify import forms
from atalaia.notify.model.channel import RouteRecord
from atalaia.notify.pages.requests import WRITE, AnyRequest, Notify, PathText, ThePages, form_of, who
from atalaia.notify.service.notify import NotifyService
from atalaia.web.cursors import MAX_LIMIT
from atalaia.web.pages import Pages, see_other


class RoutePages(Controller):
    path = "/routes"
    include_in_schema = False

    @get("/new", guards=WRITE)
    async def new(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        channel: FromQuery[str] = "",
    ) -> Response[str]:
        values = {**forms.route_values(None), "channel": channel}
        return await _route_form(request, pages, notify, values=values)

    @post("/new", guards=WRITE)
    async def create(self, request: AnyRequest, pages: ThePages, notify: Notify) -> Response[str] | Redirect:
        form = await form_of(request)
        try:
            await notify.create_route(*who(request), forms.parse_route(form))
        except InvalidField as error:
            return await _route_again(request, pages, notify, form, error)
        return see_other("/channels")

    @get("/{route_id:str}", guards=WRITE)
    async def edit(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        route_id: PathText,
    ) -> Response[str]:
        route = await notify.route(route_id)
        return await _route_form(request, pages, notify, values=forms.route_values(route), route=route)

    @post("/{route_id:str}", guards=WRITE)
    async def change(
        self,
        request: AnyRequest,
        pages: ThePages,
        notify: Notify,
        route_id: PathText,
    ) -> Response[str] | Redirect:
        form = await form_of(request)
        try:
            await notify.change_route(*who(request), route_id, forms.parse_route(form))
        except InvalidField as error:
            route = await notify.route(route_id)
            return await _route_again(request, pages, notify, form, error, route=route)
        return see_other("/channels")

    @post("/{route_id:str}/delete", guards=WRITE)
    async def remove(self, request: AnyRequest, notify: Notify, route_id: PathText) -> Redirect:
        await notify.delete_route(*who(request), route_id)
        return see_other("/channels")


async def _route_form(
    request: AnyRequest,
    pages: Pages,
    notify: NotifyService,
    *,
    values: dict[str, str],
    route: RouteRecord | None = None,
    errors: dict[str, str] | None = None,
) -> Response[str]:
    translate = pages.translator(request).translate
    channels, _ = await notify.channels(limit=MAX_LIMIT)
    return await pages.page(
        request,
        "notify/route_form.html",
        status=422 if errors else 200,
        title=translate("Change route") if route else translate("New route"),
        values=values,
        route=route,
        errors=errors or {},
        channels=[(channel.id, channel.name) for channel in channels],
        severities=[("", translate("Every severity")), *forms.severity_options(translate)],
    )


async def _route_again(
    request: AnyRequest,
    pages: Pages,
    notify: NotifyService,
    form: dict[str, str],
    error: AtalaiaError,
    *,
    route: RouteRecord | None = None,
) -> Response[str]:
    values = {**forms.route_values(route), "is_enabled": "", **form}
    errors = forms.route_errors(error, pages.translator(request))
    return await _route_form(request, pages, notify, values=values, route=route, errors=errors)
