"""Imports of the history: begun with a day, watched as they go on, stopped and gone on with."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.api.imports import read_day
from atalaia.integrations.cvepro.cloud.importing import Importing
from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.imports import ImportState
from atalaia.integrations.cvepro.pages.words import IMPORT_STATES, Said, said
from atalaia.sdk.integration import Host, Page, Request, View

HREF: Final = "/cvepro/history"
_ACTIONS: Final = {"stop": ImportState.STOPPED, "resume": ImportState.RUNNING}


class History:
    def __init__(self, host: Host, importing: Importing) -> None:
        self._host = host
        self._importing = importing

    def pages(self) -> tuple[Page, ...]:
        return (
            Page(HREF, Permission.OVERVIEW_READ, self.show, self.submit, submit_permission=Permission.JOBS_CREATE),
            Page(f"{HREF}/rows", Permission.OVERVIEW_READ, self.part),
        )

    async def show(self, request: Request) -> View:  # noqa: ARG002 - a page's form
        return await self._view("", {})

    async def part(self, request: Request) -> View:  # noqa: ARG002 - a page's form
        return View("cvepro/_import_rows.html", "", await self._values(), is_part=True)

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        first = form.get("from", "")
        try:
            await self._do(request, form)
        except AtalaiaError as error:
            return await self._view(first, {error.field if isinstance(error, InvalidField) else "": said(error)})
        return HREF

    async def _do(self, request: Request, form: Mapping[str, str]) -> None:
        """Raises: InvalidField, Conflict, NotFound."""
        by, client = request.principal, request.client
        state = _ACTIONS.get(form.get("do", ""))
        if state is not None:
            await self._importing.set_state(form.get("id", ""), state, by=by, client=client)
        else:
            await self._importing.begin(read_day(form.get("from", "")), by=by, client=client)

    async def _view(self, first: str, errors: Mapping[str, Said]) -> View:
        values = await self._values()
        return View(
            "cvepro/history.html",
            N_("Import the history"),
            {**values, "first": first, "errors": errors},
        )

    async def _values(self) -> dict[str, Any]:
        found = await self._importing.newest()
        return {
            "imports": found,
            "states": IMPORT_STATES,
            "is_configured": is_configured(self._host.setting),
            "rows": len(found),
        }
