"""A month as people are billed for it: exact whole numbers, each total the sum of the rows that are shown under it.

Energy in thousandths of a Wh, money in millionths of the currency and whole cents. Sessions belong to the month in which they
begin, or end where nobody told when they began; doubtful ones are in it, marked, and those under way stand apart.
"""

import re
from datetime import date, datetime
from typing import Final

import msgspec

from atalaia.integrations.cvepro.model.months import Month
from atalaia.integrations.cvepro.model.pricing import Part
from atalaia.integrations.cvepro.model.tariffs import Tariff

_DIGITS: Final = re.compile(r"([0-9]+)", re.ASCII)


class SessionLine(msgspec.Struct, frozen=True, kw_only=True):
    """`parts` say what `cost_micros` is made of; without a `tariff_id` it is what the vendor says, and None if he says nothing.

    `began_at`: its start; where none is told its end, or when it was first seen.
    """

    id: str
    began_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    box_id: str | None
    charger: str  # its name, or what the vendor calls it; "" where nothing is told
    connector: str | None
    flat: str | None
    resident_id: str | None
    resident: str | None  # by our list
    user_name: str | None  # as the vendor names who charged
    tag: str | None
    energy_mwh: int | None
    idle_s: float | None
    cost_micros: int | None
    parts: tuple[Part, ...] = ()
    tariff_id: str | None = None
    doubts: tuple[str, ...] = ()

    @property
    def name(self) -> str | None:
        return self.resident or self.user_name

    @property
    def lasted_s(self) -> float | None:
        if self.started_at is None or self.stopped_at is None:
            return None
        return max(0.0, (self.stopped_at - self.started_at).total_seconds())

    @property
    def is_marked(self) -> bool:
        """Something about it is doubtful, or missing."""
        return bool(self.doubts) or self.energy_mwh is None or self.cost_micros is None or self.started_at is None


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """Of what is not told nothing is added; `marked` says how many sessions have something doubtful or missing."""

    sessions: int = 0
    energy_mwh: int = 0
    idle_s: float = 0.0
    sessions_micros: int = 0
    monthly_fee_micros: int = 0
    marked: int = 0

    @property
    def total_micros(self) -> int:
        return self.sessions_micros + self.monthly_fee_micros

    def __add__(self, other: "Sums") -> "Sums":
        names = Sums.__struct_fields__
        return Sums(**{name: getattr(self, name) + getattr(other, name) for name in names})


class FlatStatement(msgspec.Struct, frozen=True, kw_only=True):
    """`flat` None: nobody knows whose these are. `residents`: names, of those who have it and who charged."""

    flat: str | None
    residents: tuple[str, ...]
    lines: tuple[SessionLine, ...]  # in the order they began
    sums: Sums


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """`flats` by flat, as people count them, the unknown one last. `tariffs` that were in force in the month, oldest first."""

    month: Month
    zone: str
    since: datetime
    until: datetime  # not included
    flats: tuple[FlatStatement, ...]
    under_way: tuple[SessionLine, ...]
    tariffs: tuple[Tariff, ...]
    sums: Sums

    def of(self, flat: str | None) -> FlatStatement | None:
        return next((each for each in self.flats if each.flat == flat), None)

    @property
    def first_day(self) -> date:
        return self.month.first_day


def sums_of(lines: tuple[SessionLine, ...], *, monthly_fee_micros: int = 0) -> Sums:
    return Sums(
        sessions=len(lines),
        energy_mwh=sum(line.energy_mwh or 0 for line in lines),
        idle_s=sum(line.idle_s or 0.0 for line in lines),
        sessions_micros=sum(line.cost_micros or 0 for line in lines),
        monthly_fee_micros=monthly_fee_micros,
        marked=sum(line.is_marked for line in lines),
    )


def flat_order(flat: str | None) -> tuple[bool, list[tuple[int, str]]]:
    """As people count flats: 9 before 10; the unknown one last."""
    pieces = _DIGITS.split(flat.casefold()) if flat else []
    # Words and numbers take turns, beginning with a word, which may be empty.
    return flat is None, [(int(piece), "") if index % 2 else (0, piece) for index, piece in enumerate(pieces)]
