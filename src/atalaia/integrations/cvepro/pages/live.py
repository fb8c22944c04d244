"""All chargers as they are now, and one of them."""

from typing import Any

from atalaia.core.errors import NotFound
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.api.dashboard import may_see_names
from atalaia.integrations.cvepro.cloud.reading import TOPIC
from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.pages.cards import banner_values, card_of, counts_of
from atalaia.integrations.cvepro.pages.words import GROUPS
from atalaia.integrations.cvepro.queries import sessions
from atalaia.integrations.cvepro.queries.residents import Holder, holders
from atalaia.integrations.cvepro.queries.sessions import SessionFilter
from atalaia.integrations.cvepro.service.board import Board
from atalaia.sdk.integration import Host, Page, Request, View
from atalaia.sdk.transaction import Tx

_LATEST = 10
_NEWS = (TOPIC,)
_MAY_READ = Permission.DASHBOARDS_READ


class Live:
    def __init__(self, host: Host, board: Board) -> None:
        self._host = host
        self._board = board

    def pages(self) -> tuple[Page, ...]:
        return (
            Page("/cvepro", _MAY_READ, self.show),
            Page("/cvepro/cards", _MAY_READ, self.cards, shared_until=_NEWS),
            Page("/cvepro/chargers/{key}", _MAY_READ, self.charger),
            Page("/cvepro/chargers/{key}/now", _MAY_READ, self.charger_now, shared_until=_NEWS),
        )

    async def show(self, request: Request) -> View:
        return View("cvepro/live.html", N_("Chargers"), await self._values(request))

    async def cards(self, request: Request) -> View:
        return View("cvepro/_cards.html", "", await self._values(request), is_part=True)

    async def charger(self, request: Request) -> View:
        values = await self._one(request)
        return View("cvepro/charger.html", values["card"].name, values)

    async def charger_now(self, request: Request) -> View:
        return View("cvepro/_charger.html", "", await self._one(request), is_part=True)

    async def _values(self, request: Request) -> dict[str, Any]:
        seen = await self._board.look()
        names = may_see_names(request)
        cards = sorted((card_of(each, names=names) for each in seen.shown), key=lambda card: card.rank)
        wanted = request.query.get("state", "")
        params = {"state": wanted} if wanted in GROUPS else {}
        found = [card for card in cards if not params or card.group == wanted]
        return {
            **banner_values(seen, is_configured=is_configured(self._host.setting)),
            "cards": found,
            "counts": counts_of(cards),
            "params": params,
            "has_any": bool(cards),
            "rows": len(found),
        }

    async def _one(self, request: Request) -> dict[str, Any]:
        """Raises: NotFound."""
        seen = await self._board.look()
        key = request.path_params["key"]
        shown = next((each for each in seen.shown if each.charger.key == key), None)
        if shown is None:
            raise NotFound(N_("There is no such charger."))
        names = may_see_names(request)
        card, box_id = card_of(shown, names=names), shown.charger.box_id
        latest, held = await self._latest(box_id) if names and box_id else ([], {})
        return {
            **banner_values(seen, is_configured=is_configured(self._host.setting)),
            "card": card,
            "charger": shown.charger,
            "latest": latest,
            "holders": held,
            "names": names,
        }

    async def _latest(self, box_id: str) -> tuple[list[Session], dict[str, Holder]]:
        def unit(tx: Tx) -> tuple[list[Session], dict[str, Holder]]:
            found = sessions.page(tx, SessionFilter(box_id=box_id), limit=_LATEST)[:_LATEST]
            return found, holders(tx, [each.id for each in found])

        return await self._host.read(unit)
