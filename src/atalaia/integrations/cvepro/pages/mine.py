"""A resident's own view: what is free, the own session, own months with what they cost, notices, reports. Nobody else's name.

Whose it is goes by the account that is linked to the resident; one that is linked to nobody gets a page that says what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from atalaia.core.errors import AtalaiaError, BadInput, InvalidField, NotFound
from atalaia.core.permissions import Permission, Principal
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.api.reports import href_of
from atalaia.integrations.cvepro.model.months import Month, month_of, read_month
from atalaia.integrations.cvepro.model.notices import NoticeKind
from atalaia.integrations.cvepro.model.residents import Resident
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.pages.cards import Card, card_of
from atalaia.integrations.cvepro.pages.words import DOUBTS, MONTHS, NOTICES, said
from atalaia.integrations.cvepro.queries import chargers, residents, sessions
from atalaia.integrations.cvepro.queries.sessions import SessionFilter
from atalaia.integrations.cvepro.service import waiting
from atalaia.integrations.cvepro.service.billing import session_cost, zone_of
from atalaia.integrations.cvepro.service.board import Board
from atalaia.integrations.cvepro.service.charged import MonthSums, by_month, charged
from atalaia.integrations.cvepro.service.notices import opt_in, opt_out, wants
from atalaia.integrations.cvepro.service.prices import prices
from atalaia.integrations.cvepro.service.reports import Reports
from atalaia.sdk.integration import Host, Page, Request, View
from atalaia.sdk.transaction import Tx

HREF: Final = "/cvepro/mine"
_MONTHS: Final = 12
_MAY_READ: Final = Permission.DASHBOARDS_READ
_MOST_OWN: Final = 20
_MOST_REPORTS: Final = 24
_NOT_LINKED: Final = N_("Your account is not linked to a resident yet.")


@dataclass(frozen=True, slots=True)
class OwnNow:
    """A session under way; `cost_micros` is what it costs so far."""

    session: Session
    charger: str
    href: str | None
    cost_micros: int | None


class Mine:
    def __init__(self, host: Host, board: Board, reports: Reports) -> None:
        self._host = host
        self._board = board
        self._reports = reports

    def pages(self) -> tuple[Page, ...]:
        return (Page(HREF, _MAY_READ, self.show, self.submit), Page(f"{HREF}/now", _MAY_READ, self.now))

    async def show(self, request: Request) -> View:
        return await self._view(request, status=200)

    async def now(self, request: Request) -> View:
        try:
            resident = await self._host.read(lambda tx: _resident(tx, request.principal))
        except NotFound:
            return View("cvepro/_mine_none.html", "", is_part=True)
        return View("cvepro/_mine_now.html", "", await self._now(resident), is_part=True)

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        try:
            await self._host.write(lambda tx: self._do(tx, request, form))
        except InvalidField as error:
            return await self._view(request, error=error)
        return HREF

    def _do(self, tx: Tx, request: Request, form: Mapping[str, str]) -> None:
        """Raises: BadInput, NotFound, InvalidField."""
        resident = _resident(tx, request.principal)
        by, client = request.principal, request.client
        match form.get("do"):
            case "wait":
                waiting.wait(self._host, tx, resident, form.get("charger", ""))
            case "unwait":
                waiting.stop_waiting(tx, resident, form.get("charger", ""))
            case "notices":
                kinds = [str(kind) for kind in NoticeKind if form.get(f"notice_{kind}") == "on"]
                if kinds:
                    opt_in(self._host, tx, resident.id, kinds, by=by, client=client)
                else:
                    opt_out(self._host, tx, resident.id, by=by, client=client)
            case _:
                raise BadInput(N_("There is no such button."))

    async def _view(self, request: Request, *, error: AtalaiaError | None = None, status: int | None = None) -> View:
        try:
            resident = await self._host.read(lambda tx: _resident(tx, request.principal))
        except NotFound:
            return View("cvepro/mine_none.html", N_("My charging"), status=status)
        zone = zone_of(self._host)
        present = month_of(self._host.clock.now(), zone)
        month = _month(request.query.get("month", ""), present)
        values = await self._host.read(lambda tx: self._months(tx, resident, month, present))
        more = {
            "resident": resident,
            "notices": [(str(kind), NOTICES[str(kind)], str(kind) in resident.notices) for kind in NoticeKind],
            "doubts": DOUBTS,
            "errors": {} if error is None else {getattr(error, "field", ""): said(error)},
        }
        return View(
            "cvepro/mine.html", N_("My charging"), {**await self._now(resident), **values, **more}, status=status
        )

    # -- now

    async def _now(self, resident: Resident) -> dict[str, Any]:
        seen = await self._board.look()
        cards = [card_of(each, names=False) for each in seen.shown]
        at = self._host.clock.now()
        own, asked = await self._host.read(lambda tx: (self._own(tx, resident, at), waiting.waits_of(tx, resident)))
        names = {card.key: card.name for card in cards}
        return {
            "own": own,
            "free": [card for card in cards if card.group == "free"],
            "number": len(cards),
            "is_stale": seen.feed.is_stale,
            "good_at": seen.feed.good_at,
            "waits": [(each.charger_key, names.get(each.charger_key), each.asked_at) for each in asked],
            "choices": _choices(cards, {each.charger_key for each in asked}),
            "may_wait": wants(resident, NoticeKind.CHARGER_FREE),
        }

    def _own(self, tx: Tx, resident: Resident, now: datetime) -> list[OwnNow]:
        wanted, zone = SessionFilter(state="active", resident_id=resident.id), zone_of(self._host)
        known = {id_: each for each in chargers.all_of_them(tx) for id_ in (each.uuid, each.box_id) if id_}
        found = []
        for session in sessions.page(tx, wanted, limit=_MOST_OWN)[:_MOST_OWN]:
            charger = known.get(session.box_id or session.charger_uuid or "")
            price = session_cost(tx, session, zone, until=now)
            name = charger.name if charger else session.box_id or "–"
            href = f"/cvepro/chargers/{quote(charger.key, safe='')}" if charger else None
            found.append(OwnNow(session, name, href, price.cost_micros if price else None))
        return found

    # -- months

    def _months(self, tx: Tx, resident: Resident, month: Month, present: Month) -> dict[str, Any]:
        zone = zone_of(self._host)
        priced = prices(tx, zone)
        year = charged(tx, resident.id, present.moved(1 - _MONTHS).since(zone), present.until(zone), priced)
        found = charged(tx, resident.id, month.since(zone), month.until(zone), priced)
        sums = by_month(year, present, _MONTHS, zone)
        reports = self._reports.own(tx, resident)[:_MOST_REPORTS]
        return {
            "lines": found,
            "sums": by_month(found, month, 1, zone)[0].sums,
            "month": str(month),
            "month_said": (MONTHS[month.number - 1], month.year),
            "bars": _bars(sums, month),
            "top_mwh": max(each.sums.energy_mwh for each in sums),
            "month_options": _options(present, month),
            "reports": [(each, MONTHS[int(each.month[5:]) - 1], each.month[:4], href_of(each)) for each in reports],
            "rows": len(found),
        }


def _resident(tx: Tx, principal: Principal) -> Resident:
    """Raises: NotFound: the account is nobody's."""
    found = residents.of_person(tx, principal.id) if principal.kind == "person" else None
    if found is None:
        raise NotFound(_NOT_LINKED)
    return found


def _month(text: str, present: Month) -> Month:
    try:
        return read_month(text) if text else present
    except InvalidField:
        return present


def _bars(found: Sequence[MonthSums], chosen: Month) -> list[dict[str, Any]]:
    return [
        {
            "word": MONTHS[each.month.number - 1],
            "year": each.month.year,
            "sums": each.sums,
            "href": f"{HREF}?month={each.month}#sessions",
            "is_current": each.month == chosen,
        }
        for each in found
    ]


def _options(present: Month, chosen: Month) -> list[tuple[str, str, int]]:
    months = [present.moved(-n) for n in range(2 * _MONTHS)]
    if chosen not in months:
        months = sorted({*months, chosen}, reverse=True)
    return [(str(each), MONTHS[each.number - 1], each.year) for each in months]


def _choices(cards: Sequence[Card], asked: set[str]) -> list[tuple[str, str]]:
    """Chargers that are in use, and not waited for yet."""
    return sorted(
        ((card.key, card.name) for card in cards if card.group != "free" and card.key not in asked),
        key=lambda each: each[1],
    )
