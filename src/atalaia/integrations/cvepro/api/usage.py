"""The JSON API of usage and occupancy, and usage as a file for spreadsheets."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_, Locale
from atalaia.integrations.cvepro.api.imports import read_day
from atalaia.integrations.cvepro.model.occupancy import Occupancy, Slot
from atalaia.integrations.cvepro.model.pricing import KWH_MWH
from atalaia.integrations.cvepro.model.tariffs import CENT_MICROS
from atalaia.integrations.cvepro.service.billing import zone_of
from atalaia.integrations.cvepro.service.figures import Figures
from atalaia.integrations.cvepro.service.prices import prices
from atalaia.integrations.cvepro.service.usage import LONGEST_DAYS, By, Days, Row, occupied, sum_of, used
from atalaia.sdk.integration import Host, Reply, Request, Route
from atalaia.sdk.transaction import Tx

_DEFAULT_DAYS: Final = 30
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class UsageRoutes:
    def __init__(self, host: Host) -> None:
        self._host = host

    def routes(self) -> tuple[Route, ...]:
        read = Permission.OVERVIEW_READ
        return (
            Route("GET", "/api/cvepro/usage", read, self.usage, document=_USAGE),
            Route("GET", "/api/cvepro/usage.csv", read, self.file, document=_FILE),
            Route("GET", "/api/cvepro/occupancy", read, self.occupancy, document=_OCCUPANCY),
        )

    async def usage(self, request: Request) -> Reply:
        days, by = self._days(request), _by(request)
        rows = await self._used(days, by)
        items = [{by.value: row.key, **_name(row, by), **_told(row.figures)} for row in rows]
        return Reply({**_span(days), "by": by.value, "items": items, "totals": _told(sum_of(rows))})

    async def file(self, request: Request) -> Reply:
        days, by = self._days(request), _by(request)
        rows = await self._used(days, by)
        name = f"{by}-{days.first}-{days.last}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
        body = csv_of(rows, by, locale=request.locale)
        return Reply(body, headers=headers, content_type="text/csv")

    async def occupancy(self, request: Request) -> Reply:
        days, now = self._days(request), self._host.clock.now()
        found = await self._host.read(lambda tx: occupied(tx, days, now=now))
        return Reply({**_span(days), **_occupied(found)})

    async def _used(self, days: Days, by: By) -> list[Row]:
        zone = zone_of(self._host)

        def unit(tx: Tx) -> list[Row]:
            return used(tx, prices(tx, zone), days, by)

        return await self._host.read(unit)

    def _days(self, request: Request) -> Days:
        """The last days, where nothing is said. Raises: InvalidField."""
        zone = read_zone(request.query.get("timezone", ""), zone_of(self._host))
        today = self._host.clock.now().astimezone(zone).date()
        last = _day(request, "until", today)
        first = _day(request, "from", min(last, today) - timedelta(days=_DEFAULT_DAYS - 1))
        if not first <= last or (last - first).days > LONGEST_DAYS:
            raise InvalidField(
                "from", N_("from must not be after until, nor more than {days} days before"), days=LONGEST_DAYS
            )
        return Days(first, last, zone)


def read_zone(name: str, default: ZoneInfo) -> ZoneInfo:
    """Raises: InvalidField."""
    if not name:
        return default
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidField("timezone", N_("a time zone as America/Sao_Paulo")) from error


def _day(request: Request, name: str, default: date) -> date:
    text = request.query.get(name, "")
    found = read_day(text, name) if text else default
    if not 2000 <= found.year <= 2100:  # noqa: PLR2004 - of what zones are known for, and then some
        raise InvalidField(name, N_("a day as 2026-01-31"))
    return found


def _by(request: Request) -> By:
    text = request.query.get("by", "") or By.MONTH
    if text not in {each.value for each in By}:
        raise InvalidField("by", N_("one of month, flat, charger"))
    return By(text)


def csv_of(rows: Sequence[Row], by: By, *, locale: Locale) -> bytes:
    """As spreadsheets of that language read it; texts that would be formulas are kept texts."""
    file = io.StringIO()
    is_portuguese = locale == "pt-BR"
    sheet = csv.writer(file, delimiter=";" if is_portuguese else ",", lineterminator="\r\n")
    sheet.writerow([by.value, "sessions", "energy_kwh", "cost", "idle_min", "doubtful", "unpriced"])

    def number(value: int | None, per: int, digits: int) -> str:
        if value is None:
            return ""
        sign, whole, rest = "-" if value < 0 else "", *divmod(abs(value), per)
        text = f"{sign}{whole}.{rest:0{digits}}"
        return text.replace(".", ",") if is_portuguese else text

    for row in rows:
        one = row.figures
        energy, cost = (
            number(one.energy_mwh, KWH_MWH, 6),
            number(None if one.cost_micros is None else one.cost_micros // CENT_MICROS, 100, 2),
        )
        minutes = number(round(one.idle_s / 0.6), 100, 2)
        name = row.charger.name if row.charger else row.key or ""
        safe = f"'{name}" if name.startswith(_FORMULA) else name
        sheet.writerow([safe, one.count, energy, cost, minutes, one.doubtful, one.unpriced])
    return ("\ufeff" + file.getvalue()).encode()


def _span(days: Days) -> dict[str, Any]:
    return {"from": days.first, "until": days.last, "timezone": days.zone.key}


def _name(row: Row, by: By) -> Mapping[str, Any]:
    return {"name": row.charger.name if row.charger else row.key} if by is By.CHARGER else {}


def _told(one: Figures) -> dict[str, Any]:
    return {
        "sessions": one.count,
        "energy_mwh": one.energy_mwh,
        "cost_micros": one.cost_micros,
        "idle_s": round(one.idle_s, 3),
        "doubtful": one.doubtful,
        "unpriced": one.unpriced,
    }


def _occupied(found: Occupancy) -> dict[str, Any]:
    return {
        "connectors": found.connectors,
        "whole": _slot(found.whole),
        "hours": [_slot(slot) for slot in found.hours],
        "weekdays": [[_slot(slot) for slot in day] for day in found.weekdays],
    }


def _slot(slot: Slot) -> dict[str, Any]:
    share = None if slot.share is None else round(slot.share, 6)
    return {"share": share, "in_use_s": round(slot.in_use_s, 3), "connector_s": round(slot.connector_s, 3)}


def _parameter(name: str, description: str, **schema: Any) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string", **schema}}


def _answer(description: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = {"type": "object", "properties": properties}
    return {"200": {"description": description, "content": {"application/json": {"schema": schema}}}}


_DAYS: Final = (
    _parameter("from", "First day; the last 30 days where nothing is said", format="date"),
    _parameter("until", "Last day, included", format="date"),
    _parameter("timezone", "Of the days; the condominium's where nothing is said"),
)
_WHICH: Final = _parameter("by", "What the rows are", enum=[each.value for each in By], default="month")
_SPAN: Final = {
    "from": {"type": "string", "format": "date"},
    "until": {"type": "string", "format": "date"},
    "timezone": {"type": "string"},
}
_FIGURES: Final = {
    "sessions": {"type": "integer"},
    "energy_mwh": {"type": ["integer", "null"], "description": "Thousandths of a Wh"},
    "cost_micros": {
        "type": ["integer", "null"],
        "description": "Millionths of the currency, whole cents; ended sessions",
    },
    "idle_s": {"type": "number"},
    "doubtful": {"type": "integer", "description": "With figures that can't be right"},
    "unpriced": {"type": "integer", "description": "That have ended, and nobody says what they cost"},
}
_SUMS: Final = {"type": "object", "properties": _FIGURES}
_ROW: Final = {
    "type": "object",
    "properties": {
        **{each.value: {"type": ["string", "null"]} for each in By},
        "name": {"type": "string"},
        **_FIGURES,
    },
}
_USAGE: Final = {
    "summary": "What was charged, by month, flat or charger; sessions count on the day they begin",
    "parameters": [*_DAYS, _WHICH],
    "responses": _answer(
        "Usage", {**_SPAN, "by": {"type": "string"}, "items": {"type": "array", "items": _ROW}, "totals": _SUMS}
    ),
}
_FILE: Final = {
    "summary": "The same as a file for spreadsheets, with the separators of the reader's language",
    "parameters": [*_DAYS, _WHICH],
    "responses": {"200": {"description": "CSV", "content": {"text/csv": {"schema": {"type": "string"}}}}},
}
_SLOT: Final = {
    "type": "object",
    "properties": {
        "share": {"type": ["number", "null"], "description": "0 to 1; null where this hour is not in the span"},
        "in_use_s": {"type": "number"},
        "connector_s": {"type": "number", "description": "Seconds that connectors were there"},
    },
}
_HOURS: Final = {"type": "array", "items": _SLOT, "description": "24, from midnight on"}
_OCCUPANCY: Final = {
    "summary": "How much of the time connectors were in use, by hour of the day and of the week, until now at most",
    "parameters": [*_DAYS],
    "responses": _answer(
        "Occupancy",
        {
            **_SPAN,
            "connectors": {"type": "integer"},
            "whole": _SLOT,
            "hours": _HOURS,
            "weekdays": {"type": "array", "items": _HOURS, "description": "7, from Monday on"},
        },
    ),
}
