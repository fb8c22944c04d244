"""Residents from a file: uploaded, looked at row by row, imported when somebody says so."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import BadInput, Conflict, InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.api.residents import EXAMPLE, ROSTERS, by_of
from atalaia.integrations.cvepro.model.enrolling import RowPlan, RowState
from atalaia.integrations.cvepro.pages.words import Said, said
from atalaia.integrations.cvepro.service.enrolling import LIFE, Enrolling, Preview
from atalaia.integrations.cvepro.service.rosters import MAX_FILE_BYTES, MOST_ROWS
from atalaia.sdk.integration import Page, Request, View

HREF: Final = "/cvepro/residents/import"
_ROWS: Final = 100
STATES: Final = {
    str(RowState.ERROR): ("down", N_("Left out")),
    str(RowState.NEW): ("up", N_("New")),
    str(RowState.CHANGED): ("maintenance", N_("Changed")),
    str(RowState.UNCHANGED): ("paused", N_("Unchanged")),
}
FIELDS: Final = {
    "name": N_("Name"),
    "flat": N_("Flat"),
    "phone": N_("Phone"),
    "email": N_("E-mail"),
    "tag": N_("Tag"),
}


class EnrollingPages:
    def __init__(self, enrolling: Enrolling) -> None:
        self._enrolling = enrolling

    def pages(self) -> tuple[Page, ...]:
        write = Permission.DASHBOARDS_WRITE
        return (
            Page(HREF, write, self.show, self.take, max_file_bytes=MAX_FILE_BYTES + 1),
            Page(f"{HREF}/{{id}}", write, self.preview, self.act),
        )

    async def show(self, request: Request) -> View:  # noqa: ARG002 - a page's form
        return _form({}, may_move=False)

    async def take(self, request: Request, form: Mapping[str, str]) -> View | str:
        may_move = form.get("move") == "on"
        try:
            id_ = await self._enrolling.take(request.files.get("file"), may_move=may_move, by=by_of(request))
        except InvalidField as error:
            return _form({"file": said(error)}, may_move=may_move, hint=error.hint)
        return f"{HREF}/{id_}"

    async def preview(self, request: Request) -> View:
        return await self._preview(request)

    async def act(self, request: Request, form: Mapping[str, str]) -> View | str:
        """Raises: BadInput, NotFound."""
        id_, do = request.path_params["id"], form.get("do", "")
        if do == "drop":
            await self._enrolling.drop(id_)
            return HREF
        if do != "import":
            raise BadInput(N_("There is no such button."))
        try:
            await self._enrolling.carry_out(id_, form.get("digest", ""), by=by_of(request))
        except Conflict as error:
            return await self._preview(request, problem=said(error))
        return f"{HREF}/{id_}"

    async def _preview(self, request: Request, *, problem: Said | None = None) -> View:
        preview = await self._enrolling.look(request.path_params["id"])
        wanted = request.query.get("state", "")
        params = {"state": wanted} if wanted in STATES else {}
        return View(
            "cvepro/enrolling_preview.html",
            N_("Import residents"),
            {
                **_rows(preview, params, request.query.get("cursor", "")),
                "waiting": preview.waiting,
                "counts": [(state, *STATES[state], preview.counts[state]) for state in STATES if preview.counts[state]],
                "to_write": preview.counts["new"] + preview.counts["changed"],
                "digest": preview.digest,
                "unread": preview.roster.unread,
                "states": STATES,
                "fields": FIELDS,
                "problem": problem,
                "href": f"{HREF}/{preview.waiting.id}",
                "refused_href": f"{ROSTERS}/{preview.waiting.id}/refused.csv",
            },
        )


def _rows(preview: Preview, params: Mapping[str, str], cursor: str) -> dict[str, Any]:
    """A page of them, in the order of the file; those that are wrong first where all are asked for."""
    found = [each for each in preview.rows if params.get("state") in {None, str(each.state)}]
    if not params:
        found.sort(key=lambda each: list(STATES).index(str(each.state)))
    start = _place_after(found, cursor)
    page = found[start : start + _ROWS]
    following = str(page[-1].line) if page and start + _ROWS < len(found) else None
    more = {"cursor": cursor} if start else {}
    return {"found": page, "next": following, "params": {**params, **more}, "rows": len(page)}


def _place_after(found: list[RowPlan], cursor: str) -> int:
    return next((place + 1 for place, each in enumerate(found) if str(each.line) == cursor), 0)


def _form(errors: Mapping[str, Said], *, may_move: bool, hint: str | None = None) -> View:
    return View(
        "cvepro/enrolling.html",
        N_("Import residents"),
        {
            "errors": errors,
            "hint": hint,
            "may_move": may_move,
            "example": EXAMPLE,
            "most_rows": MOST_ROWS,
            "most_mb": MAX_FILE_BYTES // 2**20,
            "hours": LIFE.total_seconds(),
        },
    )
