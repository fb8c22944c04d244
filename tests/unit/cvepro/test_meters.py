"""Meter values of charge points in our units, whichever of the protocol's ways they are told in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.cvepro.model.meters import Reading, powers, read_meter_values, told_at

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
STAMP = "2026-11-22T17:00:00Z"
AT = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)


def read(*samples: dict[str, Any], stamp: str = STAMP) -> list[Reading]:
    return read_meter_values([{"timestamp": stamp, "sampled_value": list(samples)}], now=NOW)


@pytest.mark.parametrize(
    ("sample", "mwh"),
    [
        ({"value": "1234"}, 1_234_000),  # the register in Wh is what is meant where nothing is said
        ({"value": "1.5", "unit": "kWh"}, 1_500_000),
        ({"value": "1234.5678", "unit": "Wh"}, 1_234_567),
        ({"value": "7", "measurand": "Energy.Active.Import.Register", "location": "Outlet"}, 7000),
    ],
)
def test_the_register_is_read_in_either_unit(sample: dict[str, Any], mwh: int) -> None:
    assert read(sample) == [Reading(at=AT, energy_mwh=mwh)]


@pytest.mark.parametrize(
    "sample",
    [
        {"value": "nan"},
        {"value": "-5"},
        {"value": "5", "unit": "varh"},
        {"value": "abc"},
        {"value": "99", "measurand": "Energy.Active.Import.Register", "location": "Inlet"},
        {"value": "00aa", "format": "SignedData"},
        {"value": "150", "measurand": "SoC", "unit": "Percent"},
        {"value": "9" * 40},
        {"value": "1e1000000"},
        {},
    ],
)
def test_what_cannot_be_read_is_left_out(sample: dict[str, Any]) -> None:
    assert read(sample) == []


def test_power_of_the_phases_is_summed_where_the_whole_is_not_told() -> None:
    phases = [
        {"value": "1.1", "measurand": "Power.Active.Import", "unit": "kW", "phase": phase}
        for phase in ("L1", "L2", "L3-N")
    ]
    assert read(*phases)[0].power_w == pytest.approx(3300)
    whole = {"value": "3000", "measurand": "Power.Active.Import", "unit": "W"}
    assert read(*phases, whole)[0].power_w == 3000


@pytest.mark.parametrize(
    "stamp", ["1970-01-01T00:00:00Z", "2019-01-01T00:00:00Z", "2030-01-01T00:00:00Z", "yesterday", ""]
)
def test_a_clock_that_cannot_be_right_is_not_believed(stamp: str) -> None:
    assert told_at(stamp, now=NOW) == NOW


def test_times_without_a_zone_are_utc() -> None:
    assert told_at("2026-11-22T17:00:00", now=NOW) == AT
    assert told_at("2026-11-22T14:00:00-03:00", now=NOW) == AT


def test_what_an_offline_charge_point_tells_months_late_keeps_its_time() -> None:
    assert told_at("2026-02-01T10:00:00Z", now=NOW) == datetime(2026, 2, 1, 10, tzinfo=UTC)


def test_energy_and_power_told_apart_for_one_instant_are_one_reading() -> None:
    power = {"value": "7000", "measurand": "Power.Active.Import", "unit": "W"}
    told = [{"timestamp": STAMP, "sampled_value": [sample]} for sample in ({"value": "1234"}, power)]
    for order in (told, told[::-1]):
        assert read_meter_values(order, now=NOW) == [Reading(at=AT, energy_mwh=1_234_000, power_w=7000.0)]


def test_power_that_is_not_told_comes_from_the_register() -> None:
    told = [Reading(at=AT, energy_mwh=1_000_000), Reading(at=AT + timedelta(minutes=30), energy_mwh=4_500_000)]
    assert powers(told) == [(AT + timedelta(minutes=30), 7000.0)]


def test_a_register_that_begins_anew_is_no_car_that_is_full() -> None:
    """As after a restart of the charger: what is less than before says nothing of the power in between."""
    told = [
        Reading(at=AT + timedelta(minutes=5 * n), energy_mwh=wh * 1000) for n, wh in enumerate((5000, 5600, 0, 600))
    ]
    assert powers(told) == [(told[1].at, 7200.0), (told[3].at, 7200.0)]


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "value": st.text(max_size=8) | st.from_regex(r"-?[0-9]{1,20}(\.[0-9]{1,5})?", fullmatch=True),
                "unit": st.sampled_from(["Wh", "kWh", "W", "kW", "Percent", "A", "Celcius"]),
                "measurand": st.sampled_from(
                    ["Energy.Active.Import.Register", "Power.Active.Import", "SoC", "Voltage"]
                ),
                "phase": st.sampled_from(["L1", "L2", "L1-L2", "N"]),
            },
        ),
        max_size=6,
    ),
    st.text(max_size=30),
)
def test_whatever_is_told_nothing_is_raised_and_figures_fit_the_store(
    samples: list[dict[str, Any]], stamp: str
) -> None:
    for each in read(*samples, stamp=stamp):
        assert each.energy_mwh is None or 0 <= each.energy_mwh < 2**63
