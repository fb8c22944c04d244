"""Overview, search, settings."""

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.core.errors import Unauthenticated
from atalaia.core.permissions import Permission, Principal
from atalaia.home.overview import Shown
from atalaia.home.parts import Look, OverviewParts
from atalaia.home.search import Search
from atalaia.home.settings import SettingsService
from atalaia.watch.service.overview import Wording
from atalaia.web.navigation import first_page
from atalaia.web.pages import AnyRequest, Pages, locale_of, see_other, viewer_of

Parts = NamedDependency[OverviewParts]
TheSearch = NamedDependency[Search]
HubSettings = NamedDependency[SettingsService]
ThePages = NamedDependency[Pages]


@get("/", guards=[requires(Permission.OWN_ACCOUNT)], include_in_schema=False)
async def overview_page(
    request: AnyRequest, pages: ThePages, overview_parts: Parts, wall: FromQuery[bool] = False
) -> Response[Any]:
    """The overview, or for those who may not see it the first page that they may, or else their own account."""
    if not viewer(request).may(Permission.OVERVIEW_READ):
        return see_other(first_page(pages.nav, viewer(request)) or "/account")
    part = await _now(request, pages, overview_parts, wall=wall)
    title = pages.translator(request).translate("Overview")
    return await pages.page(request, "home/overview.html", title=title, part=part, wall=wall)


@get("/overview/now", guards=[requires(Permission.OVERVIEW_READ)], include_in_schema=False)
async def overview_part(
    request: AnyRequest, pages: ThePages, overview_parts: Parts, wall: FromQuery[bool] = False
) -> Response[str]:
    part = await _now(request, pages, overview_parts, wall=wall)
    return await pages.fragment(request, "home/_overview_part.html", part=part)


async def _now(request: AnyRequest, pages: Pages, parts: OverviewParts, *, wall: bool) -> str:
    def render(shown: Shown, look: Look) -> str:
        wording = Wording(pages.renderer.translations.translator(look.locale))
        template = "home/_overview_now.html"
        return pages.renderer.page(
            template, locale=look.locale, timezone=look.timezone, shown=shown, watch=wording, wall=look.wall
        )

    return await parts.html(Look(locale_of(request), pages.timezone_of(request), wall), render)


@get("/search", guards=[requires(Permission.OWN_ACCOUNT)], include_in_schema=False)
async def search_page(request: AnyRequest, pages: ThePages, search: TheSearch, q: FromQuery[str] = "") -> Response[str]:
    found = await search.find(q, viewer(request))
    title = pages.translator(request).translate("Search")
    return await pages.page(request, "home/search.html", title=title, text=q.strip(), found=found, rows=len(found))


@get("/settings", guards=[requires(Permission.SETTINGS_READ)], include_in_schema=False)
async def settings_page(request: AnyRequest, pages: ThePages, hub_settings: HubSettings) -> Response[str]:
    return await _settings(request, pages, hub_settings)


@post("/settings/{section:str}", guards=[requires(Permission.SETTINGS_WRITE)], include_in_schema=False)
async def change_settings(
    request: AnyRequest, pages: ThePages, hub_settings: HubSettings, section: FromPath[str]
) -> Response[str] | Redirect:
    form = {key: str(value) for key, value in (await request.form()).items()}
    address = request.scope["state"]["client"]
    errors = await hub_settings.change(section, form, by=viewer(request), address=address)
    if errors:
        translate = pages.translator(request).translate
        said = {
            key: f"{translate(hub_settings.title(key))}: {translate(complaint.text, **complaint.params)}"
            for key, complaint in errors.items()
        }
        return await _settings(request, pages, hub_settings, form=form, errors=said, status=422)
    return see_other(f"/settings#{section}")


async def _settings(
    request: AnyRequest,
    pages: Pages,
    service: SettingsService,
    *,
    form: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response[str]:
    return await pages.page(
        request,
        "home/settings.html",
        status=status,
        title=pages.translator(request).translate("Settings"),
        sections=service.sections(),
        may_write=viewer(request).may(Permission.SETTINGS_WRITE),
        form=form or {},
        errors=errors or {},
    )


def viewer(request: AnyRequest) -> Principal:
    found = viewer_of(request)
    if found is None:  # the guard has said so already
        raise Unauthenticated("sign in first")
    return found


ROUTES = (overview_page, overview_part, search_page, settings_page, change_settings)
