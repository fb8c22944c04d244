"""What the vendor's lists hold just now, with the faults that are on."""

from datetime import date, datetime
from typing import Any, Final

from aiohttp import web

from atalaia_simulators.cvepro import words
from atalaia_simulators.cvepro.faults import Faults
from atalaia_simulators.cvepro.residents import residents_of, tags_of, visitor_tag
from atalaia_simulators.cvepro.sessions import Session
from atalaia_simulators.cvepro.site import Site
from atalaia_simulators.cvepro.traffic import LOCAL

_VISITORS: Final = 3
_LOCKED: Final = 13  # this resident's tag is locked
_TOLD_PERCENT: Final = 60
_SPREAD: Final = 2_654_435_761  # Knuth's: neighbours in number are far from each other
_ALL: Final = 1 << 32


class Lists:
    def __init__(self, site: Site, faults: Faults) -> None:
        self._site = site
        self._faults = faults

    def chargers(self, request: web.Request) -> dict[str, Any]:
        active, now = self._site.active(), self._site.now()
        silent, faulted = self._faults.look("silent", ()), self._faults.look("faulted", ())
        items = [
            words.charger_item(
                charger,
                active.get(charger.box_id),
                now,
                is_silent=charger.box_id in silent,
                is_faulted=charger.box_id in faulted,
                says=self._site.statuses.get(charger.box_id),
            )
            for charger in self._site.chargers()
        ]
        return self._answer("chargePointList", items, request)

    def transactions(self, request: web.Request) -> dict[str, Any]:
        first, last = _day(request.query.get("fromDate")), _day(request.query.get("toDate"))
        extra = self._site.extra
        items = [item for item in self._told(first, last) if item["id"] not in extra]
        items += [item for item in extra.values() if first <= _day_of(item) <= last]
        if self._faults.strike("duplicate", path=request.path):
            items = [each for item in items for each in (item, item)]
        return self._answer("list", items, request)

    def active(self, request: web.Request) -> dict[str, Any]:
        """Those that are under way, also while they are late in the list."""
        now = self._site.now()
        items = [words.active_item(each, now) for each in self._site.active().values()]
        return self._answer("list", items, request)

    def tags(self, request: web.Request) -> dict[str, Any]:
        residents = range(1, residents_of(self._site.options.chargers) + 1)
        items = [
            words.tag_item(tag, resident, is_active=resident != _LOCKED)
            for resident in residents
            for tag in tags_of(resident)
        ]
        items += [words.tag_item(visitor_tag(n), None) for n in range(1, _VISITORS + 1)]
        return self._answer("list", items, request)

    def records(self, first: date, last: date) -> list[dict[str, Any]]:
        """What really was, whatever faults are on."""
        now = self._site.now()
        return [words.record_of(each, now) for each in self._site.between(first, last)]

    def _told(self, first: date, last: date) -> list[dict[str, Any]]:
        now, look = self._site.now(), self._faults.look
        late_s, late, shrunk = float(look("late_s", 0.0)), float(look("late", 0.0)), float(look("shrunk", 0.0))
        return [
            words.transaction_item(each, now, percent=_TOLD_PERCENT if _is_of(shrunk, each, 1) else 100)
            for each in self._site.between(first, last)
            if _age_s(each, now) >= late_s and not _is_of(late, each, 2)
        ]

    def _answer(self, name: str, items: list[Any], request: web.Request) -> dict[str, Any]:
        found = [] if self._faults.strike("empty", path=request.path) else items
        most = int(self._faults.look("most", len(found)))
        return {"error": None, name: found[:most], "count": len(found)}


def _is_of(share: float, session: Session, salt: int) -> bool:
    """The same ones for the same share, and more of them for a larger one."""
    return share > 0 and (session.id * salt * _SPREAD) % _ALL < share * _ALL


def _age_s(session: Session, now: datetime) -> float:
    return (now - session.start).total_seconds()


def _day(text: str | None) -> date:
    """The time of day is ignored, as the vendor does."""
    try:
        return date.fromisoformat((text or "")[:10])
    except ValueError:
        return datetime.now(LOCAL).date()


def _day_of(item: dict[str, Any]) -> date:
    try:
        return datetime.strptime(item["startTimestamp"][:10], "%d/%m/%Y").replace(tzinfo=LOCAL).date()
    except (KeyError, TypeError, ValueError):
        return datetime.now(LOCAL).date()
