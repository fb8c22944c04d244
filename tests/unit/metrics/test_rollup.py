import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.metrics.errors import BadChunk
from atalaia.metrics.rollup import (
    AGGREGATIONS,
    HOUR_MS,
    MINUTE_MS,
    Aggregation,
    Columns,
    Merger,
    Steps,
    aggregate,
    combine,
    decode_columns,
    encode_columns,
    from_samples,
    merge_samples,
    roll_up,
)

T0 = 1_700_006_400_000
samples = st.lists(
    st.tuples(st.integers(0, 2 * HOUR_MS), st.decimals(-1000, 1000, places=2, allow_nan=False).map(float)),
    min_size=1,
    max_size=80,
    unique_by=lambda pair: pair[0],
).map(sorted)


def columns_of(pairs: list[tuple[int, float]]) -> Columns:
    return from_samples(np.array([T0 + at for at, _ in pairs], np.int64), np.array([v for _, v in pairs], np.float64))


def ask(pairs: list[tuple[int, float]], aggregation: Aggregation, *, step_ms: int = MINUTE_MS) -> dict[int, float]:
    found = aggregate(columns_of(pairs), aggregation, Steps(from_ms=T0, to_ms=T0 + 3 * HOUR_MS, step_ms=step_ms))
    return {at - T0: value for at, value in zip(found.at_ms.tolist(), found.values.tolist(), strict=True)}


def in_steps(pairs: list[tuple[int, float]], step_ms: int) -> dict[int, list[float]]:
    steps: dict[int, list[float]] = {}
    for at, value in pairs:
        steps.setdefault(at - at % step_ms, []).append(value)
    return steps


@given(samples, st.sampled_from([1000, 30_000, MINUTE_MS, HOUR_MS]))
def test_each_step_is_the_aggregate_of_what_is_in_it(pairs: list[tuple[int, float]], step_ms: int) -> None:
    steps = in_steps(pairs, step_ms)
    plain = {"min": min, "max": max, "sum": math.fsum, "count": len, "last": lambda found: found[-1]}
    for aggregation, of in plain.items():
        expected = {at: pytest.approx(of(found), abs=1e-6) for at, found in steps.items()}  # type: ignore[operator]
        assert ask(pairs, aggregation, step_ms=step_ms) == expected  # type: ignore[arg-type]
    assert ask(pairs, "avg", step_ms=step_ms) == {k: pytest.approx(np.mean(v), abs=1e-6) for k, v in steps.items()}
    for aggregation, share in (("p50", 50), ("p95", 95), ("p99", 99)):
        expected = {at: pytest.approx(np.percentile(found, share), abs=1e-6) for at, found in steps.items()}
        assert ask(pairs, aggregation, step_ms=step_ms) == expected  # type: ignore[arg-type]


def test_a_counter_that_begins_anew_still_grows() -> None:
    pairs = [(0, 10.0), (30_000, 14.0), (60_000, 3.0), (90_000, 5.0)]
    assert ask(pairs, "increase") == {0: 4.0, 60_000: 5.0}
    assert ask(pairs, "rate") == {0: 4.0 / 60, 60_000: 5.0 / 60}


def test_growth_is_counted_from_the_sample_before_the_range() -> None:
    columns = columns_of([(-120_000, 1.0), (-30_000, 5.0), (30_000, 8.0)])
    found = aggregate(columns, "increase", Steps(from_ms=T0, to_ms=T0 + HOUR_MS, step_ms=MINUTE_MS))
    assert (found.at_ms.tolist(), found.values.tolist()) == ([T0], [3.0])


def test_nothing_gives_nothing() -> None:
    for aggregation in AGGREGATIONS:
        assert ask([], aggregation) == {}
        assert ask([(-5, 1.0)], aggregation) == {}


def test_a_gap_counts_nowhere() -> None:
    assert ask([(0, 1.0), (10, math.nan), (20, 3.0)], "count") == {0: 2.0}
    assert ask([(0, 1.0), (10, math.nan), (20, 3.0)], "avg") == {0: 2.0}


@given(samples)
def test_hours_made_of_minutes_are_hours_made_of_samples(pairs: list[tuple[int, float]]) -> None:
    columns = columns_of(pairs)
    by_minutes = roll_up(roll_up(columns, MINUTE_MS), HOUR_MS)
    for ours, direct in zip(by_minutes, roll_up(columns, HOUR_MS), strict=True):
        assert ours.tolist() == direct.tolist()


@given(samples, samples)
def test_roll_ups_of_two_halves_combine(first: list[tuple[int, float]], second: list[tuple[int, float]]) -> None:
    later = [(at + 3 * HOUR_MS, value) for at, value in second]
    combined = combine(roll_up(columns_of(later), MINUTE_MS), roll_up(columns_of(first), MINUTE_MS))
    direct = roll_up(columns_of(first + later), MINUTE_MS)
    assert combined.at_ms.tolist() == direct.at_ms.tolist()
    assert combined.counts.tolist() == direct.counts.tolist()
    assert combined.total == pytest.approx(direct.total)
    assert combined.low.tolist() == direct.low.tolist()
    assert combined.high.tolist() == direct.high.tolist()


@given(samples)
def test_stored_roll_ups_come_back(pairs: list[tuple[int, float]]) -> None:
    columns = roll_up(columns_of(pairs), MINUTE_MS)
    blob = encode_columns(columns, start_ms=T0)
    for ours, theirs in zip(decode_columns(blob, start_ms=T0), columns, strict=True):
        assert ours.tobytes() == theirs.tobytes()
    with pytest.raises(BadChunk):
        decode_columns(blob[:8], start_ms=T0)
    with pytest.raises(BadChunk):
        decode_columns(b"\x63" + blob[1:], start_ms=T0)


def test_a_sample_that_comes_again_counts_once_and_the_later_value_stays() -> None:
    old = (np.array([1, 5, 9]), np.array([1.0, 5.0, 9.0]))
    new = (np.array([5, 7, 1]), np.array([5.5, 7.0, 1.0]))
    times, values = merge_samples(old, new)
    assert times.tolist() == [1, 5, 7, 9]
    assert values.tolist() == [1.0, 5.5, 7.0, 9.0]


PART = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), min_size=1, max_size=6)


@given(st.lists(st.lists(PART, min_size=1, max_size=3), min_size=1, max_size=4), st.booleans())
def test_series_merged_one_after_the_other_are_those_merged_alone(
    series: list[list[list[tuple[int, int]]]], share: bool
) -> None:
    merger, shared = Merger(), [np.array([0, 3, 7], np.int64), np.array([8, 9], np.int64)]
    for its in series:
        parts = [
            (np.array([at for at, _ in part], np.int64), np.array([value for _, value in part], np.float64))
            for part in its
        ]
        if share:
            parts = [(at_ms, np.arange(float(len(at_ms))) + its[0][0][1]) for at_ms in shared]
        at_ms, values = merger.merge(*parts)
        expected = merge_samples(*parts)
        assert at_ms.tolist() == expected[0].tolist()
        assert values.tolist() == expected[1].tolist()


def test_series_that_share_their_times_get_one_column_of_them() -> None:
    merger, first, second = Merger(), np.array([1, 2], np.int64), np.array([3], np.int64)
    merged = [merger.merge((first, np.zeros(2)), (second, np.zeros(1)))[0] for _ in range(2)]
    assert merged[0] is merged[1]
