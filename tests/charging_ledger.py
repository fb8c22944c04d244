"""What sessions cost, worked out another way than the product does: minute by minute with fractions, from the words of the API.

Nothing of atalaia is used.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Charge:
    """A session that has ended. `told_micros`: what the vendor says it costs."""

    started_at: datetime
    stopped_at: datetime
    energy_mwh: int
    idle_s: float = 0.0
    told_micros: int | None = None


Week = list[tuple[int, int]]


def week_of(terms: Mapping[str, Any]) -> Week:
    """For each minute of the week, from Monday's midnight on, the number of the band (-1: none) and its price."""
    return [
        price_at(day, f"{hour:02}:{minute:02}", terms)
        for day in range(1, 8)
        for hour in range(24)
        for minute in range(60)
    ]


def price_at(today: int, now: str, terms: Mapping[str, Any]) -> tuple[int, int]:
    yesterday = 7 if today == 1 else today - 1
    for number, band in enumerate(terms.get("bands", ())):
        days = band.get("days", range(1, 8))
        if band["from"] < band["until"]:
            holds = today in days and band["from"] <= now < band["until"]
        else:
            holds = (today in days and now >= band["from"]) or (yesterday in days and now < band["until"])
        if holds:
            return number, band["price_micros"]
    return -1, terms["price_micros"]


def minutes(since: datetime, until: datetime) -> Iterable[tuple[datetime, timedelta]]:
    """Each minute of the clock with how much of it is within."""
    at = since
    while at < until:
        ends = min(until, at.replace(second=0, microsecond=0) + MINUTE)
        yield at, ends - at
        at = ends


def energies(charge: Charge, week: Week, zone: ZoneInfo) -> dict[tuple[int, int], int]:
    """By band and price, in whole mWh that sum to the session's: the largest remainders get what is left over."""

    def band_at(at: datetime) -> tuple[int, int]:
        local = at.astimezone(zone)
        return week[(local.weekday() * 24 + local.hour) * 60 + local.minute]

    until = charge.stopped_at - timedelta(microseconds=round(charge.idle_s * 1_000_000))
    spread: dict[tuple[int, int], int] = {}
    for at, lasts in minutes(charge.started_at, until):
        band = band_at(at)
        spread[band] = spread.get(band, 0) + lasts // timedelta(microseconds=1)
    if not spread:
        return {band_at(charge.started_at): charge.energy_mwh}
    whole = sum(spread.values())
    exact = {band: Fraction(charge.energy_mwh * each, whole) for band, each in spread.items()}
    shares = {band: floor(each) for band, each in exact.items()}
    # The first band of equal ones; outside all bands comes before them.
    ranked = sorted(exact, key=lambda band: (shares[band] - exact[band], band[0]))
    for band in ranked[: charge.energy_mwh - sum(shares.values())]:
        shares[band] += 1
    return shares


class Ledger:
    """`tariffs`: bodies of `POST /api/cvepro/tariffs`."""

    def __init__(self, tariffs: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> None:
        self.zone = zone
        ordered = sorted(tariffs, key=lambda body: str(body["first_day"]))
        self._tariffs = [
            (date.fromisoformat(body["first_day"]), body["terms"], week_of(body["terms"])) for body in ordered
        ]

    def cost_cents(self, charge: Charge) -> int | None:
        """None: nobody says."""
        day = charge.started_at.astimezone(self.zone).date()
        holding = [(terms, week) for first_day, terms, week in self._tariffs if first_day <= day]
        if not holding:
            return None if charge.told_micros is None else floor(Fraction(charge.told_micros, 10_000) + HALF)
        terms, week = holding[-1]
        spread = energies(charge, week, self.zone)
        micros = sum((Fraction(energy * price, 1_000_000) for (_, price), energy in spread.items()), Fraction())
        if charge.energy_mwh > 0:
            micros += terms.get("session_fee_micros", 0)
        full = max(0, int(charge.idle_s) // 60 - terms.get("idle_grace_min", 0))
        cents: int = floor((micros + full * terms.get("idle_fee_micros", 0)) / 10_000 + HALF)
        return cents
