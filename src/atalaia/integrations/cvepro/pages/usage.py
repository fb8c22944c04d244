"""What was charged in a month: by flat and charger, beside the months before; when connectors were in use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.months import Month, month_of, read_month
from atalaia.integrations.cvepro.model.occupancy import Occupancy
from atalaia.integrations.cvepro.pages.words import MONTHS, WEEKDAYS, said
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.figures import Figures
from atalaia.integrations.cvepro.service.prices import prices
from atalaia.integrations.cvepro.service.usage import By, Days, Row, days_of, first_month, occupied, sum_of, used
from atalaia.sdk.integration import Host, Page, Request, View
from atalaia.sdk.transaction import Tx

HREF: Final = "/cvepro/usage"
_MONTHS_BACK: Final = 12
_LONGEST_LIST: Final = 120
_LABELLED_HOURS: Final = 3


@dataclass(frozen=True, slots=True)
class _Seen:
    months: list[Row]
    flats: list[Row]
    chargers: list[Row]
    occupancy: Occupancy
    first: Month | None


class UsagePage:
    def __init__(self, host: Host) -> None:
        self._host = host

    def pages(self) -> tuple[Page, ...]:
        return (Page(HREF, Permission.OVERVIEW_READ, self.show),)

    async def show(self, request: Request) -> View:
        zone = ZoneInfo(request.timezone)
        now = self._host.clock.now()
        present = month_of(now, zone)
        month, problem = present, None
        try:
            month = read_month(request.query["month"]) if request.query.get("month") else present
        except InvalidField as error:
            problem = said(error)
        seen = await self._host.read(lambda tx: self._seen(tx, month, max(month, present), zone))
        days = days_of(month, zone)
        total = sum_of(seen.flats)
        return View(
            "cvepro/usage.html",
            N_("Usage"),
            {
                "problem": problem,
                "month": str(month),
                "month_word": MONTHS[month.number - 1],
                "year": month.year,
                "choices": _choices(seen.first, max(month, present)),
                "days": {"since": days.first.isoformat(), "until": days.last.isoformat()},
                "zone_name": request.timezone,
                "total": total,
                "months": [_month(row, month) for row in seen.months],
                "flats": _shared(seen.flats, total),
                "chargers": _shared(seen.chargers, total),
                "top_energy": max((row.figures.energy_mwh or 0 for row in seen.months), default=0),
                "top_cost": max((row.figures.cost_micros or 0 for row in seen.months), default=0),
                **_occupied(seen.occupancy),
            },
        )

    def _seen(self, tx: Tx, month: Month, last: Month, zone: ZoneInfo) -> _Seen:
        priced = prices(tx, zone_of(self._host))
        days = days_of(month, zone)
        newest = month if last.moved(1 - _MONTHS_BACK) > month else last
        back = Days(newest.moved(1 - _MONTHS_BACK).first_day, days_of(newest, zone).last, zone)
        return _Seen(
            months=used(tx, priced, back, By.MONTH),
            flats=used(tx, priced, days, By.FLAT),
            chargers=used(tx, priced, days, By.CHARGER),
            occupancy=occupied(tx, days, now=self._host.clock.now()),
            first=first_month(tx, zone),
        )


def _choices(first: Month | None, last: Month) -> list[dict[str, Any]]:
    """Months to choose from, the newest first."""
    found: list[dict[str, Any]] = []
    month = last
    while len(found) < _LONGEST_LIST and (not found or (first is not None and month >= first)):
        found.append({"value": str(month), "word": MONTHS[month.number - 1], "year": month.year})
        month = month.moved(-1)
    return found


def _month(row: Row, chosen: Month) -> dict[str, Any]:
    year, number = (row.key or "").split("-")
    month = Month(int(year), int(number))
    return {
        "month": str(month),
        "word": MONTHS[month.number - 1],
        "year": month.year,
        "figures": row.figures,
        "current": month == chosen,
    }


def _shared(rows: Sequence[Row], total: Figures) -> list[dict[str, Any]]:
    """With the share of each in the energy, and its bar's length: the longest is that of the largest."""
    most = max((row.figures.energy_mwh or 0 for row in rows), default=0)
    return [
        {
            "key": row.key,
            "charger": row.charger,
            "figures": row.figures,
            "share": _part(row.figures, total.energy_mwh),
            "length": _part(row.figures, most),
        }
        for row in rows
    ]


def _part(one: Figures, whole: int | None) -> float:
    return min(1.0, max(0.0, (one.energy_mwh or 0) / whole)) if whole else 0.0


def _occupied(found: Occupancy) -> dict[str, Any]:
    hours = [slot.share for slot in found.hours]
    week = [
        {
            "word": WEEKDAYS[number],
            "shares": [slot.share for slot in day],
            "top": max(slot.share or 0.0 for slot in day),
        }
        for number, day in enumerate(found.weekdays)
    ]
    return {
        "occupancy": found,
        "hours": [
            {
                "label": str(hour) if hour % _LABELLED_HOURS == 0 else "",
                "span": f"{hour:02}:00–{hour + 1:02}:00",
                "share": share,
            }
            for hour, share in enumerate(hours)
        ],
        "week": week,
        "top_hour": max(share or 0.0 for share in hours),
        "top_slot": max(slot.share or 0.0 for day in found.weekdays for slot in day),
    }
