"""When a car counts as full."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.cvepro.model.idle import full_since, idle_s

START = datetime(2026, 11, 2, 21, tzinfo=UTC)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


@pytest.mark.parametrize(
    ("readings", "until", "since"),
    [
        ([], 900, None),
        ([(0, 7000)], 900, None),
        ([(0, 7000), (60, 9.9)], 239, None),
        ([(0, 7000), (60, 9.9)], 240, 60),
        ([(0, 7000), (60, 10)], 900, None),
        ([(0, 7000), (60, 5), (120, 4), (300, 0)], 300, 60),
        ([(0, 7000), (60, 5), (500, 3000), (600, 2)], 700, None),
        ([(0, 7000), (60, 5), (500, 3000), (600, 2)], 800, 600),
        ([(0, 7000), (60, 2), (901, 7000)], 900, 60),
    ],
)
def test_it_is_full_after_three_minutes_under_ten_watts(
    readings: list[tuple[int, float]], until: int, since: int | None
) -> None:
    told = [(at(second), power_w) for second, power_w in readings]
    assert full_since(told, at(until)) == (None if since is None else at(since))


@given(st.lists(st.tuples(st.integers(0, 899), st.sampled_from([0.0, 9.9, 10.0, 7400.0])), unique_by=lambda r: r[0]))
def test_it_is_what_looking_at_every_second_finds(readings: list[tuple[int, float]]) -> None:
    told = sorted(readings)
    low, runs = 0, []
    for second in range(900):
        before = [power for when, power in told if when <= second]
        if before and before[-1] < 10:
            low += 1
        else:
            runs.append(low)
            low = 0
    long = [run for run in [*runs, low] if run >= 180]
    powers = [(at(second), power_w) for second, power_w in told]
    assert idle_s(powers, at(900)) == (sum(long) if told else None)
    assert full_since(powers, at(900)) == (at(900 - low) if low >= 180 else None)
