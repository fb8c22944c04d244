"""What was charged, by month, flat and charger, and how much of the time connectors were in use."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import reduce
from typing import Any, Final
from zoneinfo import ZoneInfo

from atalaia.integrations.cvepro.model.chargers import Charger
from atalaia.integrations.cvepro.model.months import Month, midnight, month_of
from atalaia.integrations.cvepro.model.occupancy import Occupancy, Use, occupancy
from atalaia.integrations.cvepro.model.statement import flat_order
from atalaia.integrations.cvepro.queries import chargers, usage
from atalaia.integrations.cvepro.service.figures import Figures, added, figures
from atalaia.integrations.cvepro.service.prices import Prices
from atalaia.integrations.cvepro.tables import sessions
from atalaia.sdk.transaction import Tx

LONGEST_DAYS: Final = 3700


class By(StrEnum):
    MONTH = "month"
    FLAT = "flat"
    CHARGER = "charger"


@dataclass(frozen=True, slots=True)
class Days:
    """Days of a zone, both included."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        """Not included."""
        return midnight(self.last + timedelta(days=1), self.zone)


@dataclass(frozen=True, slots=True)
class Row:
    """`key`: a month, a flat, or what a charger is called by the vendor; None: nobody knows which. `charger`: where it is known."""

    key: str | None
    figures: Figures
    charger: Charger | None = None


def days_of(month: Month, zone: ZoneInfo) -> Days:
    return Days(month.first_day, month.moved(1).first_day - timedelta(days=1), zone)


def used(tx: Tx, priced: Prices, days: Days, by: By) -> list[Row]:
    match by:
        case By.MONTH:
            return _by_month(tx, priced, days)
        case By.FLAT:
            found = _by(tx, priced, days, usage.BY_FLAT)
            return [Row(key, found[key]) for key in sorted(found, key=flat_order)]
        case By.CHARGER:
            found = _by(tx, priced, days, usage.BY_CHARGER)
            known = _known(chargers.all_of_them(tx))
            rows = [Row(key, each, known.get(key) if key else None) for key, each in found.items()]
            return sorted(rows, key=lambda row: flat_order(row.charger.name if row.charger else row.key))


def whole(tx: Tx, priced: Prices, days: Days) -> Figures:
    conditions = usage.within(days.since, days.until)
    return figures(tx, priced, conditions, source=sessions)[()]


def sum_of(rows: Iterable[Row]) -> Figures:
    return reduce(added, (row.figures for row in rows), Figures())


def _by(tx: Tx, priced: Prices, days: Days, key: Any) -> dict[str | None, Figures]:
    found = figures(tx, priced, usage.within(days.since, days.until), by=[key])
    return {name: each for (name,), each in found.items()}


def _by_month(tx: Tx, priced: Prices, days: Days) -> list[Row]:
    month = Month(days.first.year, days.first.month)
    rows = []
    while month.first_day <= days.last:
        own = days_of(month, days.zone)
        part = Days(max(days.first, own.first), min(days.last, own.last), days.zone)
        rows.append(Row(str(month), whole(tx, priced, part)))
        month = month.moved(1)
    return rows


def first_month(tx: Tx, zone: ZoneInfo) -> Month | None:
    at = usage.first_start(tx)
    return None if at is None else month_of(at, zone)


def occupied(tx: Tx, days: Days, *, now: datetime) -> Occupancy:
    """Until now, where the days are not over."""
    until = min(days.until, now)
    known = chargers.all_of_them(tx)
    count = sum(len(each.connectors) or 1 for each in known)
    uses = _uses(usage.uses(tx, days.since, until), _known(known), until)
    return occupancy(uses, days.since, until, connectors=count, zone=days.zone)


def _uses(rows: Sequence[Any], known: Mapping[str, Charger], until: datetime) -> Iterable[Use]:
    for row in rows:
        name = row.box_id or row.charger_uuid
        charger = known.get(name) if name else None
        # Of one connector it is that one, whatever the session calls it.
        connector = None if charger and len(charger.connectors) <= 1 else row.connector
        yield (charger.key if charger else name, connector), row.started_at, row.stopped_at or until


def _known(found: Sequence[Charger]) -> dict[str, Charger]:
    return {name: each for each in found for name in (each.uuid, each.box_id) if name}
