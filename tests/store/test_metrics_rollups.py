"""Roll-ups and retention, on either engine."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from atalaia.metrics.rollup import Aggregation
from atalaia.metrics.tables import chunks, rollups
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.metrics_world import DAY, HOUR, MINUTE, World, run


@pytest.fixture
def make_world(make_store: MakeStore, clock: FakeClock) -> Callable[..., World]:
    return lambda **environment: World(make_store("metrics"), clock, environment)


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


def full_days(world: World, days: int) -> tuple[int, dict[int, list[float]]]:
    """Samples each 10 minutes for so many days back from last midnight; the values by hour."""
    rng = np.random.default_rng(5)
    midnight = world.now_ms - world.now_ms % DAY
    start = midnight - days * DAY
    by_hour: dict[int, list[float]] = {}
    lines = []
    for at in range(start, midnight, 10 * MINUTE):
        value = float(np.round(rng.normal(10, 3), 2))
        by_hour.setdefault(at - at % HOUR, []).append(value)
        lines.append(f"m {value} {at}\n")
    world.take("".join(lines))
    run(world.service.sealing.seal())
    return start, by_hour


@pytest.mark.parametrize("rolled", [False, True])
def test_hours_are_the_same_from_samples_and_from_roll_ups(world: World, rolled: bool) -> None:
    start, by_hour = full_days(world, 12)
    if rolled:
        run(world.service.rolling.run())
        assert world.count(rollups) == 12 + 5
        assert world.count(chunks) == 7 * 12
    plain: dict[Aggregation, Callable[[list[float]], float]] = {
        "avg": lambda values: sum(values) / len(values),
        "sum": sum,
        "min": min,
        "max": max,
        "count": len,
        "last": lambda values: values[-1],
    }
    for agg, of in plain.items():
        found = world.points(since_ms=start, step_ms=HOUR, agg=agg)
        assert found == {hour: pytest.approx(of(values)) for hour, values in by_hour.items()}
    fine = world.points(since_ms=start, step_ms=10 * MINUTE, agg="sum")
    assert sum(fine.values()) == pytest.approx(sum(map(sum, by_hour.values())))
    assert len(fine) == 12 * 144


def test_late_samples_for_a_rolled_day_count(world: World) -> None:
    start, by_hour = full_days(world, 10)
    run(world.service.rolling.run())
    total = sum(map(sum, by_hour.values()))
    recent, ancient = start + 8 * DAY + MINUTE, start + MINUTE
    world.take(f"m 1000 {recent}\nm 2000 {ancient}\n")
    for step in (HOUR, 10 * MINUTE):
        assert sum(world.points(since_ms=start, step_ms=step).values()) == pytest.approx(total + 3000)
    run(world.service.sealing.seal())
    for step in (HOUR, 10 * MINUTE):
        assert sum(world.points(since_ms=start, step_ms=step).values()) == pytest.approx(total + 3000)
    for _ in range(2):
        run(world.service.rolling.run())
        for step in (HOUR, 10 * MINUTE):
            assert sum(world.points(since_ms=start, step_ms=step).values()) == pytest.approx(total + 3000)


def test_what_is_too_old_goes(make_world: Callable[..., World]) -> None:
    world = make_world(ATALAIA_METRICS_RAW_DAYS="1", ATALAIA_METRICS_MINUTE_DAYS="3", ATALAIA_METRICS_HOUR_DAYS="5")
    full_days(world, 4)
    run(world.service.rolling.run())
    by_width = world.store.read_now(lambda tx: [row.width_s for row in tx.rows(rollups.select())])
    assert (by_width.count(60), by_width.count(3600)) == (2, 4)
    world.clock.advance(10 * 86_400)
    run(world.service.rolling.run())
    assert world.count(rollups) == 0
    assert world.count(chunks) == 0


def test_a_day_is_rolled_up_when_it_is_over(world: World) -> None:
    world.take(f"m 1 {world.now_ms}\n")
    run(world.service.sealing.seal())
    run(world.service.rolling.run())
    assert world.count(rollups) == 0
    midnight = datetime.combine(world.clock.now().date() + timedelta(days=1), datetime.min.time(), UTC)
    world.clock.advance((midnight - world.clock.now()).total_seconds() + 20 * 60)
    run(world.service.rolling.run())
    assert world.count(rollups) == 1
