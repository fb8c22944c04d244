"""What a session costs: against another computation, minute by minute on the clock on the wall, with fractions."""

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.integrations.cvepro.model.pricing import Charged, PriceList, shared_out
from atalaia.integrations.cvepro.model.tariffs import Band, Terms, read_terms

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
# Each with changes of the clock: by an hour at midnight, by an hour at two, by half an hour; and one without.
ZONES = [
    (SAO_PAULO, datetime(2018, 11, 3, 12, tzinfo=UTC)),
    (SAO_PAULO, datetime(2018, 2, 17, 12, tzinfo=UTC)),
    (ZoneInfo("America/New_York"), datetime(2026, 3, 8, 0, tzinfo=UTC)),
    (ZoneInfo("America/New_York"), datetime(2026, 11, 1, 0, tzinfo=UTC)),
    (ZoneInfo("Australia/Lord_Howe"), datetime(2026, 4, 4, 6, tzinfo=UTC)),
    (ZoneInfo("Asia/Kathmandu"), datetime(2026, 5, 1, 0, tzinfo=UTC)),
]
MICROS = st.integers(0, 3_000_000)


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def banded(draw: st.DrawFn) -> Terms:
    """Bands between cuts of the day, some over midnight, on days of their own."""
    cuts = sorted(draw(st.sets(st.integers(0, 1439), min_size=1, max_size=5)))
    bands = []
    for number, (begins, ends) in enumerate(zip(cuts, [*cuts[1:], cuts[0]], strict=True)):
        days = draw(st.sets(st.integers(1, 7), max_size=7))
        if days:
            name = f"band {number}"
            bands.append(
                Band(name=name, days=tuple(days), begins=clock(begins), ends=clock(ends), price_micros=draw(MICROS))
            )
    return read_terms(
        Terms(
            price_micros=draw(MICROS),
            bands=tuple(bands),
            session_fee_micros=draw(MICROS),
            idle_fee_micros=draw(MICROS),
            idle_grace_min=draw(st.integers(0, 60)),
        )
    )


@st.composite
def charged(draw: st.DrawFn) -> tuple[Charged, ZoneInfo]:
    zone, around = draw(st.sampled_from(ZONES))
    started = around + timedelta(minutes=draw(st.integers(0, 1500)))
    minutes = draw(st.integers(1, 900))
    idle = draw(st.integers(0, minutes - 1))
    energy = draw(st.integers(0, 80_000_000))
    stopped = started + timedelta(minutes=minutes)
    return Charged(started_at=started, stopped_at=stopped, energy_mwh=energy, idle_s=idle * 60.0), zone


def band_on_the_wall(terms: Terms, at: datetime, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    now, today = f"{local:%H:%M}", local.isoweekday()
    yesterday = (today + 5) % 7 + 1
    for band in terms.bands:
        if band.begins < band.ends:
            holds = today in band.days and band.begins <= now < band.ends
        else:
            holds = (today in band.days and now >= band.begins) or (yesterday in band.days and now < band.ends)
        if holds:
            return band.name
    return ""


def slowly(terms: Terms, one: Charged, zone: ZoneInfo) -> tuple[dict[str, Fraction], Fraction]:
    """Exact energy by band, and the exact cost, before anything is rounded."""
    minutes = (one.stopped_at - one.started_at) // timedelta(minutes=1) - int(one.idle_s) // 60
    spread: dict[str, Fraction] = {}
    for minute in range(minutes):
        name = band_on_the_wall(terms, one.started_at + timedelta(minutes=minute), zone)
        spread[name] = spread.get(name, Fraction()) + Fraction(one.energy_mwh, minutes)
    fees = Fraction(max(0, int(one.idle_s) // 60 - terms.idle_grace_min) * terms.idle_fee_micros)
    return spread, fees + (terms.session_fee_micros if one.energy_mwh else 0)


@given(banded(), charged())
def test_it_is_what_each_minute_costs(terms: Terms, given_: tuple[Charged, ZoneInfo]) -> None:
    one, zone = given_
    price = PriceList(terms, zone).price(one)
    exact, fees = slowly(terms, one, zone)
    shown = {part.name: part.energy_mwh for part in price.parts if part.kind == "energy"}
    assert sum(shown.values()) == one.energy_mwh
    assert all(abs(shown.get(name, 0) - energy) < 1 for name, energy in exact.items())
    assert shown.keys() <= exact.keys()
    prices = {"": terms.price_micros} | {band.name: band.price_micros for band in terms.bands}
    micros = sum((Fraction(energy * prices[name], 1_000_000) for name, energy in shown.items()), fees)
    assert price.cost_micros == math.floor(micros / 10_000 + Fraction(1, 2)) * 10_000
    assert sum(part.cost_micros for part in price.parts) == price.cost_micros
    assert all(part.cost_micros % 10_000 == 0 for part in price.parts)


@given(banded(), charged(), st.lists(st.tuples(st.integers(0, 900), st.integers(0, 50_000)), max_size=12))
def test_by_the_meter_it_is_what_went_through_in_each_minute(
    terms: Terms, given_: tuple[Charged, ZoneInfo], steps: list[tuple[int, int]]
) -> None:
    one, zone = given_
    minutes = (one.stopped_at - one.started_at) // timedelta(minutes=1)
    at_minutes = sorted({at for at, _ in steps if at <= minutes})
    register, readings = 7_000, []
    for at, (_, more) in zip(at_minutes, steps, strict=False):
        register += more
        readings.append((one.started_at + timedelta(minutes=at), register))
    weights: dict[str, Fraction] = {}
    for (since, before), (until, after) in pairwise(readings):
        lasts = (until - since) // timedelta(minutes=1)
        for minute in range(lasts):
            name = band_on_the_wall(terms, since + timedelta(minutes=minute), zone)
            weights[name] = weights.get(name, Fraction()) + Fraction(after - before, lasts)
    exact = (
        {name: each * one.energy_mwh / total for name, each in weights.items()}
        if (total := sum(weights.values()))
        else slowly(terms, one, zone)[0]
    )
    price = PriceList(terms, zone).price(one, readings)
    shown = {part.name: part.energy_mwh for part in price.parts if part.kind == "energy"}
    assert sum(shown.values()) == one.energy_mwh
    assert all(abs(shown.get(name, 0) - energy) < 1 for name, energy in exact.items())


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1).filter(any))
def test_what_is_shared_out_sums_to_the_whole_and_nobody_is_off_by_one(whole: int, weights: list[int]) -> None:
    shares = shared_out(whole, weights)
    assert sum(shares) == whole
    assert all(abs(s - Fraction(whole * w, sum(weights))) < 1 for s, w in zip(shares, weights, strict=True))


@pytest.mark.parametrize("energy_mwh", [0, 5_000_000])
@pytest.mark.parametrize("idle_s", [0.0, 7200.0, 99_999.0])
@pytest.mark.parametrize("hours", [-3, 0, 1])
def test_a_session_that_cannot_be_is_priced_at_its_start(hours: int, idle_s: float, energy_mwh: int) -> None:
    """It ends before it begins, or is idle for longer than it lasts: what it took is all in the band of its start."""
    started = datetime(2026, 11, 2, 21, 30, tzinfo=UTC)
    night = Band(name="evening", begins="18:00", ends="19:00", price_micros=2_000_000)
    terms = read_terms(Terms(price_micros=1_000_000, bands=(night,)))
    stopped = started + timedelta(hours=hours)
    price = PriceList(terms, SAO_PAULO).price(
        Charged(started_at=started, stopped_at=stopped, energy_mwh=energy_mwh, idle_s=idle_s)
    )
    if hours < 1 or idle_s:
        assert {part.name for part in price.parts} == {"evening"}
        assert price.cost_micros == 2 * energy_mwh
    assert sum(part.energy_mwh for part in price.parts) == energy_mwh


@pytest.mark.parametrize(
    ("energy_mwh", "cents"), [(4_999, 0), (5_000, 1), (14_999, 1), (15_000, 2), (1_000_000, 100)], ids=str
)
def test_half_a_cent_is_one(energy_mwh: int, cents: int) -> None:
    started = datetime(2026, 11, 2, 21, 30, tzinfo=UTC)
    one = Charged(started_at=started, stopped_at=started + timedelta(hours=1), energy_mwh=energy_mwh)
    assert PriceList(Terms(price_micros=1_000_000), SAO_PAULO).price(one).cost_micros == cents * 10_000


def test_idle_time_is_charged_by_the_whole_minute_past_the_grace() -> None:
    started = datetime(2026, 11, 2, 21, 30, tzinfo=UTC)
    prices = PriceList(Terms(price_micros=0, idle_fee_micros=500_000, idle_grace_min=10), SAO_PAULO)
    costs = {
        idle_s: prices.price(
            Charged(started_at=started, stopped_at=started + timedelta(hours=9), energy_mwh=1, idle_s=idle_s)
        ).cost_micros
        for idle_s in (0.0, 600.0, 659.9, 660.0, 3600.0)
    }
    assert costs == {0.0: 0, 600.0: 0, 659.9: 0, 660.0: 500_000, 3600.0: 25_000_000}


BASE = {"begins": "18:00", "ends": "21:00", "price_micros": 1}


@pytest.mark.parametrize(
    ("bands", "field"),
    [
        ([{"name": ""}], "bands[0].name"),
        ([{"name": "a", "days": ()}], "bands[0].days"),
        ([{"name": "a", "days": (8,)}], "bands[0].days"),
        ([{"name": "a", "begins": "25:00"}], "bands[0].from"),
        ([{"name": "a", "begins": "٠٨:00"}], "bands[0].from"),
        ([{"name": "a"}, {"name": "b", "ends": "9"}], "bands[1].until"),
        ([{"name": "a", "price_micros": -1}], "bands[0].price_micros"),
        ([{"name": "a"}, {"name": "b", "begins": "20:59"}], "bands[1].from"),
        ([{"name": "a", "days": (7,), "begins": "22:00", "ends": "06:00"},
          {"name": "b", "days": (1,), "begins": "05:00", "ends": "07:00"}], "bands[1].from"),
        ([{"name": "a", "begins": "00:00", "ends": "24:00"}, {"name": "b", "days": (3,)}], "bands[1].from"),
    ],
    ids=str,
)  # fmt: skip
def test_bands_that_cannot_hold_are_named(bands: list[dict[str, object]], field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        read_terms(Terms(price_micros=1, bands=tuple(Band(**{**BASE, **each}) for each in bands)))  # type: ignore[arg-type]
    assert caught.value.field == field


def test_bands_that_meet_do_not_overlap() -> None:
    read_terms(
        Terms(
            price_micros=1,
            bands=(
                Band(name="night", begins="21:00", ends="18:00", price_micros=1),
                Band(name="peak", begins="18:00", ends="21:00", price_micros=1),
            ),
        )
    )
