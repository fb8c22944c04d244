"""Months of the calendar, and the instants between which one lies in a zone. Pure."""

import re
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

_FORM: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)
_MONTHS: Final = 12


class Month(msgspec.Struct, frozen=True, order=True):
    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    def moved(self, months: int) -> "Month":
        years, index = divmod(self.year * _MONTHS + self.number - 1 + months, _MONTHS)
        return Month(years, index + 1) if years else self

    def since(self, zone: ZoneInfo) -> datetime:
        """Its first instant there, aware UTC."""
        return midnight(self.first_day, zone)

    def until(self, zone: ZoneInfo) -> datetime:
        """The first instant that is not in it."""
        return self.moved(1).since(zone)


def read_month(text: str, field: str = "month") -> Month:
    """As 2026-01. Raises: InvalidField."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise InvalidField(field, N_("a month as 2026-01"))
    return Month(int(found[1]), int(found[2]))


def month_of(at: datetime, zone: ZoneInfo) -> Month:
    local = at.astimezone(zone)
    return Month(local.year, local.month)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The day's first instant, aware UTC; also where the clock goes on or back over it."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
