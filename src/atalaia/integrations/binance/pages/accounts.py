"""Accounts of the exchange: what there is, and the form for another one."""

from collections.abc import Mapping
from typing import Final

from atalaia.core.errors import BadInput, Conflict, InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.binance.desk import Desk, by_of, typed_credentials
from atalaia.integrations.binance.pages.words import Said, errors_of, said
from atalaia.sdk.failures import BadPayload, PermanentFailure, TemporaryFailure
from atalaia.sdk.integration import Page, Request, View

_PATH: Final = "/binance/accounts"
_TOLD: Final = (InvalidField, Conflict, TemporaryFailure, PermanentFailure, BadPayload)


class AccountPages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def pages(self) -> tuple[Page, ...]:
        write = Permission.TRADING_WRITE
        return (Page(_PATH, Permission.TRADING_READ, self.show, self.act, submit_permission=write),)

    async def show(self, _request: Request) -> View:
        return await self._view({})

    async def act(self, request: Request, form: Mapping[str, str]) -> View | str:
        """Raises: BadInput: none of this page's buttons."""
        act = form.get("act", "")
        if act not in {"add", "remove"}:
            raise BadInput(N_("There is no such button."))
        return await (self._add(request, form) if act == "add" else self._remove(request, form))

    async def _add(self, request: Request, form: Mapping[str, str]) -> View | str:
        try:
            credentials = typed_credentials(form.get("api_key", ""), form.get("api_secret", ""))
            await self._desk.accounts.add(name=form.get("name", ""), credentials=credentials, by=by_of(request))
        except _TOLD as error:
            typed = {name: form.get(name, "") for name in ("name", "api_key")}
            return await self._view(typed, errors=errors_of(error, conflict="name" if _is_conflict(error) else ""))
        return _PATH

    async def _remove(self, request: Request, form: Mapping[str, str]) -> View | str:
        try:
            await self._desk.accounts.remove(form.get("id", ""), by=by_of(request))
        except Conflict as error:
            return await self._view({}, problem=said(error))
        return _PATH

    async def _view(
        self, values: Mapping[str, str], *, errors: Mapping[str, Said] | None = None, problem: Said | None = None
    ) -> View:
        accounts = await self._desk.accounts.all()
        own = {"accounts": accounts, "rows": len(accounts), "problem": problem}
        return View("binance/accounts.html", N_("Accounts"), {**own, "values": values, "errors": errors or {}})


def _is_conflict(error: Exception) -> bool:
    return isinstance(error, Conflict)
