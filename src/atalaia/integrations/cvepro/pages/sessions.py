"""Sessions with filters in the address."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from atalaia.core.errors import AtalaiaError, InvalidField, NotFound
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.api.imports import read_day
from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.pages.words import DOUBTS, SESSION_STATES, said
from atalaia.integrations.cvepro.queries import chargers, residents, sessions
from atalaia.integrations.cvepro.queries.sessions import SessionFilter
from atalaia.integrations.cvepro.queries.twins import set_aside
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.figures import Figures, figures
from atalaia.integrations.cvepro.service.prices import prices
from atalaia.integrations.cvepro.service.twins import Twins
from atalaia.sdk.integration import Host, Page, Request, View
from atalaia.sdk.transaction import Tx

HREF: Final = "/cvepro/sessions"
_ASIDE: Final = f"{HREF}?state=aside"
_NAMES: Final = ("since", "until", "charger", "resident", "flat", "state", "q", "cursor")
_LIMIT: Final = 50
_MAY_READ: Final = Permission.OVERVIEW_READ


class Sessions:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._twins = Twins(host)

    def pages(self) -> tuple[Page, ...]:
        return (
            Page(HREF, _MAY_READ, self.show, self.submit, submit_permission=Permission.DASHBOARDS_WRITE),
            Page(f"{HREF}/rows", _MAY_READ, self.part),
        )

    async def show(self, request: Request) -> View:
        return View("cvepro/sessions.html", N_("Charging sessions"), await self._values(request))

    async def part(self, request: Request) -> View:
        return View("cvepro/_session_rows.html", "", await self._values(request), is_part=True)

    async def submit(self, request: Request, form: Mapping[str, str]) -> View | str:
        """Of two that were taken for one: that they are two, or that they may be one after all."""
        session_id, who = form.get("id", ""), _who(request)
        try:
            match form.get("do"):
                case "part":
                    await self._twins.part(session_id, **who)
                case "join":
                    await self._twins.join(session_id, **who)
                case _:
                    raise NotFound(N_("There is nothing like that to do."))
        except AtalaiaError as error:
            values = await self._values(request)
            return View("cvepro/sessions.html", N_("Charging sessions"), {**values, "refused": said(error)})
        return _ASIDE

    async def _values(self, request: Request) -> dict[str, Any]:
        params = {name: text for name in _NAMES if (text := request.query.get(name, "").strip()) and text.isprintable()}
        problem = None
        try:
            wanted = read_filter(params, ZoneInfo(request.timezone))
        except InvalidField as error:
            wanted, problem = SessionFilter(), said(error)

        def unit(tx: Tx) -> tuple[list[Any], Figures, list[Charger], dict[str, Any]]:
            found = sessions.page(tx, wanted, limit=_LIMIT, after=params.get("cursor"))
            resident = residents.find(tx, wanted.resident_id) if wanted.resident_id else None
            ids = [each.id for each in found]
            own: dict[str, Any] = {"holders": residents.holders(tx, ids), "resident": resident}
            own["twins"] = set_aside(tx, ids)
            priced = prices(tx, zone_of(self._host))
            own |= {"costs": {each.id: priced.of_session(tx, each) for each in found}, "is_ours": bool(priced.spans)}
            sums = figures(tx, priced, wanted.conditions(), source=wanted.source)[()]
            return found, sums, chargers.all_of_them(tx), own

        found, totals, known, own = await self._host.read(unit)
        page = found[:_LIMIT]
        return {
            **own,
            "found": page,
            "next": page[-1].id if len(found) > _LIMIT else None,
            "totals": totals,
            "params": params,
            "is_filtered": bool(params.keys() - {"cursor"}),
            "problem": problem,
            "refused": None,
            "state_options": SESSION_STATES,
            "charger_options": [(each.box_id, each.name) for each in known if each.box_id],
            "chargers": {each.box_id: each for each in known if each.box_id},
            "doubts": DOUBTS,
            "rows": len(page),
        }


def read_filter(params: Mapping[str, str], zone: ZoneInfo) -> SessionFilter:
    """Days of the reader's zone, both included. Raises: InvalidField."""
    return SessionFilter(
        since=_midnight(params, "since", zone, days=0),
        until=_midnight(params, "until", zone, days=1),
        box_id=params.get("charger"),
        resident_id=params.get("resident"),
        flat=params.get("flat"),
        state=params.get("state"),
        q=params.get("q"),
    )


def _midnight(params: Mapping[str, str], name: str, zone: ZoneInfo, *, days: int) -> datetime | None:
    if not params.get(name):
        return None
    try:
        day = read_day(params[name], name) + timedelta(days=days)
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError as error:
        raise InvalidField(name, N_("a day as 2026-01-31")) from error


def _who(request: Request) -> dict[str, Any]:
    return {"by": request.principal, "client": request.client}
