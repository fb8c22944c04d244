"""The forms of a new operation, and of a change."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import AtalaiaError, Conflict, InvalidField, NotFound
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_, Locale
from atalaia.integrations.binance.desk import Desk, by_of
from atalaia.integrations.binance.filters import text_of
from atalaia.integrations.binance.model.money import plain
from atalaia.integrations.binance.operations import NewOperation, OperationChange, Shown
from atalaia.integrations.binance.pages.typed import typed_number
from atalaia.integrations.binance.pages.words import Said, errors_of
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.integration import Page, Request, View

# What the form itself can say.
_TOLD: Final = (InvalidField, Conflict, TemporaryFailure)
_EMPTY: Final = {
    "account": "",
    "symbol": "",
    "name": "",
    "profit_target": "",
    "stop_loss": "",
    "trailing": "",
    "basis": "net",
    "auto_close_enabled": "on",
    "dry_run": "",
}
_ONE: Final = "/binance/operations/{id}"


class Entering:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def pages(self) -> tuple[Page, ...]:
        write = Permission.TRADING_WRITE
        return (
            Page("/binance/operations/new", write, self.new, self.add),
            Page(f"{_ONE}/edit", write, self.edit, self.change),
        )

    async def new(self, request: Request) -> View:
        values = {**_EMPTY, "account": request.query.get("account", ""), "symbol": request.query.get("symbol", "")}
        return await self._new(values)

    async def add(self, request: Request, form: Mapping[str, str]) -> View | str:
        try:
            shown = await self._desk.operations.add(_new_of(form, request.locale), by=by_of(request))
        except _TOLD as error:
            return await self._new(_typed(form), errors=_errors(error))
        return f"/binance/operations/{shown.watched.operation.id}"

    async def edit(self, request: Request) -> View:
        shown = await self._active(request)
        return _edit(shown, _values_of(shown))

    async def change(self, request: Request, form: Mapping[str, str]) -> View | str:
        shown = await self._active(request)
        id_ = shown.watched.operation.id
        try:
            await self._desk.operations.change(id_, _change_of(form, request.locale), by=by_of(request))
        except _TOLD as error:
            return _edit(shown, _typed(form), errors=_errors(error))
        return f"/binance/operations/{id_}"

    async def _active(self, request: Request) -> Shown:
        """Raises: NotFound."""
        found = await self._desk.operations.one(text_of(request.path_params, "id"))
        if not isinstance(found, Shown):
            raise NotFound(N_("This operation is closed."))
        return found

    async def _new(self, values: Mapping[str, str], errors: Mapping[str, Said] | None = None) -> View:
        accounts = [(each.name, each.name) for each in await self._desk.accounts.all()]
        own = {"accounts": accounts, "shown": None, "href": "/binance", "action": "/binance/operations/new"}
        return View("binance/form.html", N_("New operation"), {**own, "values": values, "errors": errors or {}})


def _edit(shown: Shown, values: Mapping[str, str], errors: Mapping[str, Said] | None = None) -> View:
    operation = shown.watched.operation
    href = _ONE.format(id=operation.id)
    own = {"accounts": [], "shown": {"name": operation.name, "symbol": operation.symbol, "account": shown.account}}
    values = {**own, "href": href, "action": f"{href}/edit", "values": values, "errors": errors or {}}  # type: ignore[dict-item]  # of a form and around it
    return View("binance/form.html", N_("Change"), values)


def _errors(error: AtalaiaError) -> dict[str, Said]:
    return errors_of(error, conflict="symbol" if isinstance(error, Conflict) else "")


def _typed(form: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to be shown again."""
    return {name: form.get(name, "") for name in _EMPTY}


def _values_of(shown: Shown) -> dict[str, str]:
    operation = shown.watched.operation
    wishes = operation.wishes
    return {
        "account": shown.account,
        "symbol": operation.symbol,
        "name": operation.name,
        "profit_target": plain(wishes.profit_target),
        "stop_loss": "" if wishes.stop_loss is None else plain(wishes.stop_loss),
        "trailing": "" if wishes.trailing is None else plain(wishes.trailing),
        "basis": "gross" if wishes.is_gross else "net",
        "auto_close_enabled": "on" if operation.auto_close_enabled else "",
        "dry_run": "on" if operation.dry_run else "",
    }


def _wishes(form: Mapping[str, str], locale: Locale) -> dict[str, Any]:
    """Raises: InvalidField."""
    maybe = {name: form.get(name, "").strip() for name in ("stop_loss", "trailing")}
    return {
        "profit_target": typed_number(form.get("profit_target", ""), "profit_target", locale=locale),
        **{name: typed_number(text, name, locale=locale) if text else None for name, text in maybe.items()},
        "gross": form.get("basis") == "gross",
        "auto_close_enabled": form.get("auto_close_enabled") == "on",
        "dry_run": form.get("dry_run") == "on",
        "name": form.get("name", ""),
    }


def _new_of(form: Mapping[str, str], locale: Locale) -> NewOperation:
    return NewOperation(account=form.get("account", ""), symbol=form.get("symbol", ""), **_wishes(form, locale))


def _change_of(form: Mapping[str, str], locale: Locale) -> OperationChange:
    return OperationChange(**_wishes(form, locale))
