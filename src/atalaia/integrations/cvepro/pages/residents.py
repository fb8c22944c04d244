"""Residents: the list with filters, the form, and one resident with tags, sessions, sums and notices."""

import re
from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import AtalaiaError, BadInput, Conflict, InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.api.residents import STATES, WITHOUT, by_of, entry_of, read_filter
from atalaia.integrations.cvepro.model.months import month_of
from atalaia.integrations.cvepro.model.residents import Resident
from atalaia.integrations.cvepro.pages.words import DOUBTS, NOTICES, Said, said
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.charged import by_month, charged
from atalaia.integrations.cvepro.service.prices import prices
from atalaia.integrations.cvepro.service.residents import Entry, Known, Residents
from atalaia.sdk.integration import Account, Host, Page, Request, View
from atalaia.sdk.transaction import Tx

HREF: Final = "/cvepro/residents"
_LIMIT: Final = 50
_LATEST: Final = 10
_NAMES: Final = ("q", "flat", "state", "without", "cursor")
_TYPED: Final = ("name", "flat", "phone", "email", "locale", "account", "tags", "move")
_SEVERAL: Final = re.compile(r"[,;/\n]")
STATE_WORDS: Final = dict(zip(STATES, (N_("Active"), N_("Not active")), strict=True))
WITHOUT_WORDS: Final = dict(zip(WITHOUT, (N_("No tag"), N_("No phone"), N_("No account")), strict=True))


class ResidentPages:
    def __init__(self, host: Host, residents: Residents) -> None:
        self._host = host
        self._residents = residents

    def pages(self) -> tuple[Page, ...]:
        read, write = Permission.OVERVIEW_READ, Permission.DASHBOARDS_WRITE
        one = f"{HREF}/{{id}}"
        return (
            Page(HREF, read, self.show, self.link_all, submit_permission=write),
            Page(f"{HREF}/rows", read, self.rows),
            Page(f"{HREF}/new", write, self.new, self.add),
            Page(one, read, self.one, self.act, submit_permission=write),
            Page(f"{one}/edit", write, self.edit, self.change),
        )

    # -- the list

    async def show(self, request: Request) -> View:
        values = await self._listed(request)
        may_write = request.principal.may(Permission.DASHBOARDS_WRITE)
        values["proposed"] = len(await self._residents.proposed()) if may_write else 0
        return View("cvepro/residents.html", N_("Residents"), values)

    async def rows(self, request: Request) -> View:
        return View("cvepro/_resident_rows.html", "", await self._listed(request), is_part=True)

    async def link_all(self, request: Request, form: Mapping[str, str]) -> View | str:
        """Raises: BadInput: none of this page's buttons."""
        if form.get("do") != "link":
            raise BadInput(N_("There is no such button."))
        await self._residents.link_proposed(by=by_of(request))
        return HREF

    async def _listed(self, request: Request) -> dict[str, Any]:
        params = {name: text for name in _NAMES if (text := request.query.get(name, "").strip()) and text.isprintable()}
        problem = None
        try:
            wanted = read_filter(params)
        except InvalidField as error:
            wanted, problem = read_filter({}), said(error)
        found = await self._residents.page(wanted, limit=_LIMIT, after=params.get("cursor"))
        page = found[:_LIMIT]
        return {
            "found": page,
            "next": page[-1].resident.id if len(found) > _LIMIT else None,
            "params": params,
            "is_filtered": bool(params.keys() - {"cursor"}),
            "problem": problem,
            "state_options": list(STATE_WORDS.items()),
            "without_options": list(WITHOUT_WORDS.items()),
            "rows": len(page),
        }

    # -- the form

    async def new(self, request: Request) -> View:
        """With a tag or a flat that the address brings: of one that nobody has here."""
        typed = {
            name: text
            for name in ("name", "flat", "tags")
            if (text := request.query.get(name, "")) and text.isprintable()
        }
        return await self._form({**dict.fromkeys(_TYPED, ""), "locale": "pt-BR", **typed}, None)

    async def add(self, request: Request, form: Mapping[str, str]) -> View | str:
        try:
            made = await self._residents.add(_entry(form, is_active=True), by=by_of(request))
        except InvalidField as error:
            return await self._form(_typed(form), None, error=error)
        return f"{HREF}/{made.resident.id}"

    async def edit(self, request: Request) -> View:
        known = await self._residents.one(request.path_params["id"])
        entry = entry_of(known)
        values = {name: getattr(entry, name) for name in _TYPED} | {"tags": ", ".join(entry.tags), "move": ""}
        return await self._form(values, known.resident)

    async def change(self, request: Request, form: Mapping[str, str]) -> View | str:
        id_ = request.path_params["id"]
        try:
            await self._residents.change(
                id_, lambda known: _entry(form, is_active=known.resident.is_active), by=by_of(request)
            )
        except InvalidField as error:
            known = await self._residents.one(id_)
            return await self._form(_typed(form), known.resident, error=error)
        return f"{HREF}/{id_}"

    async def _form(
        self, values: Mapping[str, str], resident: Resident | None, *, error: InvalidField | None = None
    ) -> View:
        accounts = await self._residents.accounts()
        own = {
            "resident": resident,
            "accounts": [(each.id, f"{each.name} · {each.email}".removeprefix(" · ")) for each in accounts],
            "proposal": None if values["account"] else _same_mail(values["email"], accounts),
            "values": values,
            "errors": _errors(error),
        }
        return View("cvepro/resident_form.html", N_("Change") if resident else N_("New resident"), own)

    # -- one

    async def one(self, request: Request) -> View:
        return await self._one(request)

    async def act(self, request: Request, form: Mapping[str, str]) -> View | str:
        id_, do = request.path_params["id"], form.get("do", "")
        try:
            await self._do(request, id_, do, form)
        except (InvalidField, Conflict) as error:
            return await self._one(request, error=error, typed=form)
        return HREF if do == "remove" else f"{HREF}/{id_}"

    async def _do(self, request: Request, id: str, do: str, form: Mapping[str, str]) -> None:
        """Raises: BadInput, NotFound, InvalidField."""
        by, residents = by_of(request), self._residents
        match do:
            case "activate" | "deactivate":
                await residents.set_active(id, is_active=do == "activate", by=by)
            case "remove":
                await residents.remove(id, by=by)
            case "link":
                await residents.link(id, form.get("account", ""), by=by)
            case "give":
                move = form.get("move") == "on"
                await residents.give_tag(id, form.get("tag", ""), label=form.get("label", ""), move=move, by=by)
            case "end" | "never":
                await residents.end_tag(id, form.get("tag_id", ""), was_never=do == "never", by=by)
            case _:
                raise BadInput(N_("There is no such button."))

    async def _one(
        self, request: Request, *, error: AtalaiaError | None = None, typed: Mapping[str, str] | None = None
    ) -> View:
        known = await self._residents.one(request.path_params["id"])
        accounts = await self._residents.accounts()
        one = known.resident
        values = {
            **await self._host.read(lambda tx: self._usage(tx, one.id)),
            "known": known,
            "account": next((each for each in accounts if each.id == one.person_id), None),
            "proposal": await self._proposal(known),
            "notices": [NOTICES[each] for each in one.notices if each in NOTICES],
            "doubts": DOUBTS,
            "errors": _errors(error),
            "typed": dict(typed or {}),
        }
        return View("cvepro/resident.html", one.name, values)

    async def _proposal(self, known: Known) -> Account | None:
        pairs = await self._residents.proposed()
        return next((account for resident, account in pairs if resident.id == known.resident.id), None)

    def _usage(self, tx: Tx, id: str) -> dict[str, Any]:
        zone, now = zone_of(self._host), self._host.clock.now()
        month = month_of(now, zone)
        priced = prices(tx, zone)
        found = charged(tx, id, month.moved(-11).since(zone), month.until(zone), priced)
        return {"latest": found[:_LATEST], "sums": by_month(found, month, 1, zone)[0].sums}


def _errors(error: AtalaiaError | None) -> dict[str, Said]:
    if error is None:
        return {}
    return {error.field if isinstance(error, InvalidField) else "": said(error)}


def _same_mail(email: str, accounts: Any) -> Account | None:
    plain = email.strip().lower()
    return next((each for each in accounts if plain and each.email.lower() == plain), None)


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    return {name: form.get(name, "") for name in _TYPED}


def _entry(form: Mapping[str, str], *, is_active: bool) -> Entry:
    return Entry(
        name=form.get("name", ""),
        flat=form.get("flat", ""),
        phone=form.get("phone", ""),
        email=form.get("email", ""),
        locale=form.get("locale", ""),
        account=form.get("account", ""),
        is_active=is_active,
        tags=[part for part in _SEVERAL.split(form.get("tags", "")) if part.strip()],
        move=form.get("move") == "on",
    )
