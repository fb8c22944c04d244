"""What a session costs under a tariff. Pure, in whole numbers: parts sum to the whole, to the last mWh and cent.

The energy is spread over the tariff's bands by the meter where it was read on the way, and else evenly over the time of
charging, from the start until the idle time at the end began. Bands are local time as clocks show it: an hour that comes
twice counts twice, one that is left out not at all.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from atalaia.integrations.cvepro.model.tariffs import CENT_MICROS, WEEK_MIN, Band, Terms
from atalaia.integrations.cvepro.model.wall import MINUTE, SECOND, WEEK, Wall, in_week, ticks

KWH_MWH: Final = 1_000_000
Readings = Sequence[tuple[datetime, int]]
_Weights = dict[int | None, int | Fraction]  # by the number of the band; None is outside all


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: energy (of the band `name`; "" is outside all), session, idle. `price_micros`: of a kWh, a session, a minute."""

    kind: str
    name: str = ""
    energy_mwh: int = 0
    minutes: int = 0
    price_micros: int
    cost_micros: int


class Charged(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be priced: energy in thousandths of a Wh. `stopped_at`: its end, or now for one that is under way."""

    started_at: datetime
    stopped_at: datetime
    energy_mwh: int
    idle_s: float = 0.0
    start_mwh: int | None = None
    stop_mwh: int | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """`cost_micros` is whole cents, rounded half up once; the parts' costs are too, and sum to it."""

    cost_micros: int
    parts: tuple[Part, ...] = ()


class PriceList:
    """Terms in a zone, ready for many sessions."""

    def __init__(self, terms: Terms, zone: ZoneInfo) -> None:
        self.terms = terms
        self._wall = Wall(zone)
        self._week = _Week(terms.bands)

    def price(self, charged: Charged, readings: Readings = ()) -> Price:
        """`readings`: the meter on the way, in thousandths of a Wh, whatever it began at."""
        terms = self.terms
        energies = self._spread(charged, readings)
        minutes = max(0, int(max(0.0, charged.idle_s)) // 60 - terms.idle_grace_min)
        parts = [
            Part(kind="energy", name=band.name if band else "", energy_mwh=energy, price_micros=price, cost_micros=0)
            for index, energy in energies
            for band in (None if index is None else terms.bands[index],)
            for price in (band.price_micros if band else terms.price_micros,)
        ]
        if terms.session_fee_micros and charged.energy_mwh > 0:
            parts.append(Part(kind="session", price_micros=terms.session_fee_micros, cost_micros=0))
        if terms.idle_fee_micros and minutes:
            parts.append(Part(kind="idle", minutes=minutes, price_micros=terms.idle_fee_micros, cost_micros=0))
        return _rounded(parts)

    def _spread(self, charged: Charged, readings: Readings) -> list[tuple[int | None, int]]:
        """Energy by band, in the order of the bands; None is outside all."""
        energy = max(0, charged.energy_mwh)
        if not self._week.is_banded:
            return [(None, energy)]
        weights = self._by_meter(charged, readings) if readings else {}
        if not any(weights.values()):
            weights = self._by_time(charged)
        bands = sorted(weights, key=lambda index: -1 if index is None else index)
        shares = shared_out(energy, [weights[index] for index in bands])
        return [(band, share) for band, share in zip(bands, shares, strict=True) if share] or [(bands[0], 0)]

    def _by_time(self, charged: Charged) -> _Weights:
        since = ticks(charged.started_at)
        until = ticks(charged.stopped_at) - round(max(0.0, charged.idle_s) * SECOND)
        found: _Weights = {}
        for band, begins, ends in self._wall.pieces(since, max(until, since + 1), self._week.at):
            found[band] = found.get(band, 0) + ends - begins
        return found

    def _by_meter(self, charged: Charged, readings: Readings) -> _Weights:
        found: _Weights = {}
        for (since, before), (until, after) in pairwise(_points(charged, readings)):
            if after <= before or until <= since:
                continue
            for band, begins, ends in self._wall.pieces(since, until, self._week.at):
                took = (after - before) * (ends - begins)
                is_whole = ends - begins == until - since  # most are
                found[band] = found.get(band, 0) + (after - before if is_whole else Fraction(took, until - since))
        return found


class _Week:
    """Which band holds at which local time."""

    def __init__(self, bands: Sequence[Band]) -> None:
        begins: dict[int, int | None] = {}
        for index, band in enumerate(bands):
            for since, until in band.spans():
                begins[since % WEEK_MIN] = index
                begins.setdefault(until % WEEK_MIN, None)
        # A band that begins where another ends stands, whichever came first.
        self._at = [minute * MINUTE for minute in sorted(begins)]
        self._bands = [begins[minute] for minute in sorted(begins)]
        self.is_banded = bool(begins)

    def at(self, local: int) -> tuple[int | None, int]:
        """The band, and how many ticks of the clock are left of it. `local`: ticks of the clock since 1970."""
        now = in_week(local)
        index = bisect_right(self._at, now) - 1
        ends = self._at[index + 1] if index + 1 < len(self._at) else self._at[0] + WEEK
        return self._bands[index], ends - now


def _points(charged: Charged, readings: Readings) -> list[tuple[int, int]]:
    """The meter from start to end; what it says of other times is left out."""
    since, until = ticks(charged.started_at), ticks(charged.stopped_at)
    points = sorted((at, mwh) for when, mwh in readings if since <= (at := ticks(when)) <= until)
    if charged.start_mwh is not None:
        points.insert(0, (since, charged.start_mwh))
    if charged.stop_mwh is not None:
        points.append((until, charged.stop_mwh))
    return points


def shared_out(whole: int, weights: Sequence[Fraction | int]) -> list[int]:
    """`whole` in proportion to the weights, by the largest remainder; of equal ones the first gets it."""
    if len(weights) == 1:
        return [whole]
    total = sum(weights)
    shares, remainders = zip(*(divmod(whole * weight, total) for weight in weights), strict=True)
    return _topped_up(shares, remainders, whole=whole)


def _topped_up(shares: Sequence[int], remainders: Sequence[Fraction | int], *, whole: int) -> list[int]:
    """One more for those with the largest remainders, so that they sum to `whole`."""
    by_remainder = sorted(range(len(shares)), key=lambda index: -remainders[index])
    favoured = set(by_remainder[: whole - sum(shares)])
    return [share + (index in favoured) for index, share in enumerate(shares)]


def half_up(micros: int) -> int:
    """To the cent."""
    return (2 * micros + CENT_MICROS) // (2 * CENT_MICROS) * CENT_MICROS


def _rounded(parts: Sequence[Part]) -> Price:
    """The sum to the cent; the parts to cents that sum to it, by the largest remainder."""
    cent = CENT_MICROS * KWH_MWH
    exact = [_exact(part) for part in parts]
    cents = (2 * sum(exact) + cent) // (2 * cent)
    shown = _topped_up([each // cent for each in exact], [each % cent for each in exact], whole=cents)
    costed = (msgspec.structs.replace(part, cost_micros=n * CENT_MICROS) for part, n in zip(parts, shown, strict=True))
    return Price(cost_micros=cents * CENT_MICROS, parts=tuple(costed))


def _exact(part: Part) -> int:
    """In KWH_MWH-ths of a micro."""
    match part.kind:
        case "energy":
            return part.energy_mwh * part.price_micros
        case "idle":
            return part.minutes * part.price_micros * KWH_MWH
        case _:
            return part.price_micros * KWH_MWH
