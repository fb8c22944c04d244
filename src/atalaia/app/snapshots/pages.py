"""Pages of kept snapshots, for whom the API gives one to: admins."""

import asyncio
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from atalaia.access.guards import requires
from atalaia.access.requests import client_of, principal_of
from atalaia.app.snapshots.keeping import Snapshots
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.sdk.contribution import NavItem
from atalaia.web.pages import Pages, see_other

ADDRESS: Final = "/snapshots"
GUARDS: Final = [requires(Permission.SETTINGS_WRITE)]
NAV: Final = (NavItem("admin", N_("Snapshots"), ADDRESS, Permission.SETTINGS_WRITE, order=85, icon="copy"),)

AnyRequest = Request[Any, Any, Any]
ThePages = NamedDependency[Pages]
TheSnapshots = NamedDependency[Snapshots]


@get(ADDRESS, guards=GUARDS, include_in_schema=False)
async def list_page(request: AnyRequest, pages: ThePages, snapshots: TheSnapshots) -> Response[str]:
    kept = await asyncio.to_thread(snapshots.kept)
    title = pages.translator(request).translate("Snapshots")
    return await pages.page(request, "app/snapshots/list.html", rows=len(kept), title=title, snapshots=kept)


@post(ADDRESS, guards=GUARDS, include_in_schema=False)
async def take_one(request: AnyRequest, snapshots: TheSnapshots) -> Redirect:
    path = await snapshots.take_for(principal_of(request), address=client_of(request))
    return see_other(f"{ADDRESS}/{path.name}")


@get("/snapshots/{name:str}", guards=GUARDS, include_in_schema=False)
async def show_page(
    request: AnyRequest, pages: ThePages, snapshots: TheSnapshots, name: FromPath[str]
) -> Response[str]:
    kept, text = await asyncio.to_thread(snapshots.read, name)
    return await pages.page(request, "app/snapshots/show.html", title=kept.name, snapshot=kept, text=text)


@get("/snapshots/{name:str}/download", guards=GUARDS, include_in_schema=False)
async def download(snapshots: TheSnapshots, name: FromPath[str]) -> Response[bytes]:
    kept, text = await asyncio.to_thread(snapshots.read, name)
    headers = {"content-disposition": f'attachment; filename="{kept.name}"', "cache-control": "no-store"}
    return Response(text.encode(), media_type="text/markdown; charset=utf-8", headers=headers)


ROUTES: Final = (list_page, take_one, show_page, download)
