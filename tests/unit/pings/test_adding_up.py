"""What pings add up to."""

from hypothesis import given, settings
from hypothesis import strategies as st

from atalaia.pings.model import Report, error_type, percentile, summarize
from atalaia.pings.service.meter import thinned
from atalaia.pings.service.remembered import Remembered


def report(at_ms: int, rtt_ms: float | None, outcome: str = "ok") -> Report:
    return Report(at_ms, outcome, rtt_ms, None)


def test_lost_pings_count_as_loss_and_not_as_time() -> None:
    summary = summarize([report(1, 10.0), report(2, None, "timeout"), report(3, 30.0), report(4, 20.0)])
    assert summary.loss == 0.25
    assert (summary.p50_ms, summary.p99_ms) == (20.0, 30.0)
    assert summary.jitter_ms == 15.0  # |30 - 10| and |20 - 30|
    assert summary.last == report(4, 20.0)


def test_nothing_adds_up_to_nothing() -> None:
    summary = summarize([])
    assert (summary.loss, summary.p50_ms, summary.jitter_ms, summary.last) == (None, None, None, None)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_so_many_are_not_above(values: list[float], share: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= share * len(ordered) - 1e-9


def test_error_types_are_the_known_ones() -> None:
    assert [error_type(each) for each in ("timeout", "http_502", "http_5x2", "http_", "connection_error", "odd")] == [
        "timeout",
        "http_502",
        "unknown_error",
        "unknown_error",
        "connection_error",
        "unknown_error",
    ]


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(1, 50))
def test_thinned_points_are_few_and_of_the_whole(count: int, limit: int) -> None:
    points = [(at_ms, float(at_ms)) for at_ms in range(count)]
    kept = thinned(points, limit)
    assert len(kept) <= limit
    assert set(kept) <= set(points)
    assert kept == points or count > limit


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20, unique=True), max_size=30))
def test_what_was_added_is_known_until_it_is_the_oldest(groups: list[list[int]]) -> None:
    memory, everything = Remembered(young=8, arrays=1000), set[int]()
    for group in groups:
        assert memory.known(group) == everything.intersection(group)
        fresh = [value for value in group if value not in everything]
        memory.add(fresh)
        everything.update(fresh)
    assert memory.known(sorted(everything)) == everything


def test_the_oldest_are_forgotten_first() -> None:
    memory = Remembered(young=4, arrays=2)
    for start in range(0, 16, 4):
        memory.add(range(start, start + 4))
    assert memory.known(range(16)) == set(range(8, 16))
