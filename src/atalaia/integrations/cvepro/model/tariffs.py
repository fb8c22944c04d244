"""What charging costs: a price per kWh, others for bands of the week, and fees. Pure.

Money is in millionths of the currency. A tariff holds from its first day, in the condominium's zone, until the next one's;
the one that is in force when a session begins holds for the whole of it.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.months import midnight

CENT_MICROS: Final = 10_000
DAY_MIN: Final = 1440
WEEK_MIN: Final = 7 * DAY_MIN
MOST_BANDS: Final = 24
LONGEST_NAME: Final = 60
MOST_MICROS: Final = 10**12  # a million of the currency
_LONGEST_GRACE_MIN: Final = DAY_MIN
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_MIDNIGHT: Final = "24:00"
_DAYS: Final = range(1, 8)


class Band(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"begins": "from", "ends": "until"}
):
    """Local times as `18:00`. One that ends where it begins, or earlier, goes on past midnight, and is of the day it begins on.

    `days`: 1 is Monday.
    """

    name: str
    days: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)
    begins: str
    ends: str
    price_micros: int

    def spans(self) -> Iterator[tuple[int, int]]:
        """Minutes of the week from Monday's midnight on; the end of one may lie in the next week."""
        begins, ends = minute_of(self.begins), minute_of(self.ends)
        lasts = (ends - begins) % DAY_MIN or DAY_MIN
        for day in self.days:
            at = (day - 1) * DAY_MIN + begins
            yield at, at + lasts


class Terms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`price_micros` is that of a kWh outside all bands. Of idle time each whole minute past the grace is charged.

    A session without energy has no session fee. The monthly fee is a flat's.
    """

    price_micros: int
    bands: tuple[Band, ...] = ()
    session_fee_micros: int = 0
    idle_fee_micros: int = 0  # a minute
    idle_grace_min: int = 0
    monthly_fee_micros: int = 0


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    first_day: date
    terms: Terms
    created_by: str
    created_at: datetime


def minute_of(text: str) -> int:
    """Of the day; of a text that `read_time` wrote."""
    return int(text[:2]) * 60 + int(text[3:])


def read_time(text: str, field: str) -> str:
    """As 18:00; 24:00 is 00:00. Raises: InvalidField."""
    plain = text.strip()
    if plain == _MIDNIGHT:
        return "00:00"
    if _TIME.fullmatch(plain) is None:
        raise InvalidField(field, N_("a time as 18:00"))
    return plain


def read_terms(given: Terms) -> Terms:
    """As they are kept. Raises: InvalidField: names the field, as `bands[1].from`."""
    for name in ("price_micros", "session_fee_micros", "idle_fee_micros", "monthly_fee_micros"):
        _check_money(getattr(given, name), name)
    if given.monthly_fee_micros % CENT_MICROS:
        raise InvalidField("monthly_fee_micros", N_("whole cents"))
    if not 0 <= given.idle_grace_min <= _LONGEST_GRACE_MIN:
        raise InvalidField("idle_grace_min", N_("between 0 and {most}"), most=_LONGEST_GRACE_MIN)
    if len(given.bands) > MOST_BANDS:
        raise InvalidField("bands", N_("at most {most} bands"), most=MOST_BANDS)
    bands = tuple(_read_band(band, f"bands[{index}]") for index, band in enumerate(given.bands))
    _check_overlaps(bands)
    return msgspec.structs.replace(given, bands=bands)


def _read_band(given: Band, path: str) -> Band:
    name = " ".join(given.name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidField(f"{path}.name", N_("a name of at most {most} letters"), most=LONGEST_NAME)
    if not given.days or any(day not in _DAYS for day in given.days):
        raise InvalidField(f"{path}.days", N_("one day of the week or more, 1 (Monday) to 7"))
    _check_money(given.price_micros, f"{path}.price_micros")
    return Band(
        name=name,
        days=tuple(sorted(set(given.days))),
        begins=read_time(given.begins, f"{path}.from"),
        ends=read_time(given.ends, f"{path}.until"),
        price_micros=given.price_micros,
    )


def _check_money(micros: int, field: str) -> None:
    if not 0 <= micros <= MOST_MICROS:
        raise InvalidField(field, N_("an amount that is not below zero, and not above a million"))


def _check_overlaps(bands: Sequence[Band]) -> None:
    spans = sorted((begins, ends, index) for index, band in enumerate(bands) for begins, ends in band.spans())
    if not spans:
        return
    first = spans[0]
    around = [*spans, (first[0] + WEEK_MIN, first[1] + WEEK_MIN, first[2])]
    for (_, ends, one), (begins, _, other) in pairwise(around):
        if begins < ends:
            later, earlier = max(one, other), min(one, other)
            raise InvalidField(
                f"bands[{later}].from",
                N_("“{name}” overlaps “{other}”"),
                name=bands[later].name,
                other=bands[earlier].name,
            )


def in_force(tariffs: Sequence[Tariff], at: datetime, zone: ZoneInfo) -> Tariff | None:
    """Of tariffs in the order of their first days."""
    day = at.astimezone(zone).date()
    return next((each for each in reversed(tariffs) if each.first_day <= day), None)


def begins_at(tariff: Tariff, zone: ZoneInfo) -> datetime:
    return midnight(tariff.first_day, zone)
