"""Panic: everything is closed. The page asks twice: it is a page of its own, and its button wants a word that is typed."""

from collections.abc import Mapping
from typing import Any, Final

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.binance.desk import Desk, by_of
from atalaia.integrations.binance.pages.looking import looked
from atalaia.integrations.binance.pages.rows import row_of
from atalaia.integrations.binance.pages.words import Said, errors_of
from atalaia.sdk.integration import Page, Request, View

WORD: Final = N_("CLOSE ALL")
# In both languages, whichever the page was in when the hand reached for the keys.
_TAKEN: Final = frozenset({"close all", "fechar tudo"})


class PanicPages:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def pages(self) -> tuple[Page, ...]:
        return (Page("/binance/panic", Permission.TRADING_WRITE, self.show, self.close),)

    async def show(self, request: Request) -> View:
        return await self._view(request, {})

    async def close(self, request: Request, form: Mapping[str, str]) -> View | str:
        if " ".join(form.get("word", "").casefold().split()) not in _TAKEN:
            error = InvalidField("word", N_("Nothing was closed: the word is another one."))
            return await self._view(request, errors_of(error))
        await self._desk.operations.panic(by=by_of(request))
        return "/binance"

    async def _view(self, request: Request, errors: Mapping[str, Said]) -> View:
        rows = [row_of(each, request.locale) for each in await self._desk.operations.all()]
        rows.sort(key=lambda row: row.rank)
        values: dict[str, Any] = {
            "closing": [row for row in rows if not row.is_dry_run],
            "dry_runs": sum(row.is_dry_run for row in rows),
            "word": WORD,
            "errors": errors,
            "looked": await looked(self._desk.host),
        }
        return View("binance/panic.html", N_("Panic"), values)
