"""Samples become parts of one series and span, and it makes no difference how they came."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from atalaia.metrics.chunks import SPAN_MS
from atalaia.metrics.exposition import Samples, times_of
from atalaia.metrics.sorting import sort_into_parts

START = SPAN_MS * 245_000


def body(ids: list[int], at_ms: int, values: list[float]) -> Samples:
    """As of one request: all lines of one time."""
    return Samples(np.array(ids, np.int64), times_of([at_ms] * len(ids)), np.array(values, np.float64))


def spread(block: Samples) -> Samples:
    """The same, so that nobody sees that it is of one time."""
    return Samples(block.series_ids, np.array(block.at_ms), block.values)


def shown(blocks: list[Samples]) -> dict[tuple[int, int], list[tuple[int, float]]]:
    parts = sort_into_parts(blocks)
    found = {
        (part.series_id, part.span): list(zip(part.at_ms.tolist(), part.values.tolist(), strict=True)) for part in parts
    }
    assert len(found) == len(parts)
    return found


SHAPES = ([1, 2, 3, 4], [5, 6, 7, 8, 9], [4, 10, 11, 12], [13, 13, 14, 15], [16, 17])
BODIES = st.lists(
    st.tuples(st.sampled_from(SHAPES), st.integers(0, 12), st.integers(0, 3), st.booleans()), min_size=1, max_size=40
)


@given(BODIES)
def test_bodies_that_repeat_give_the_same_parts_as_samples_one_by_one(
    bodies: list[tuple[list[int], int, int, bool]],
) -> None:
    blocks = [
        body(ids, START + SPAN_MS - 6_000 + step * 1_000, [float(kind + place) for place in range(len(ids))])
        for ids, step, kind, _ in bodies
    ]
    plain = [spread(block) if is_spread else block for block, (*_, is_spread) in zip(blocks, bodies, strict=True)]
    expected: dict[tuple[int, int], dict[int, float]] = {}
    for block in blocks:
        for series_id, at_ms, value in zip(
            block.series_ids.tolist(), block.at_ms.tolist(), block.values.tolist(), strict=True
        ):
            expected.setdefault((series_id, at_ms // SPAN_MS), {})[at_ms] = value
    assert shown(plain) == {place: sorted(its.items()) for place, its in expected.items()}


def test_bodies_of_one_sender_are_put_in_order_of_time_and_cut_at_spans() -> None:
    times = [START + SPAN_MS + 5, START + 5, START + 1, START + SPAN_MS - 1]
    blocks = [body([1, 2, 3, 4], at, [at, 2.0, 3.0, 4.0]) for at in times]
    found = shown(blocks)
    assert len(found) == 8
    assert [at - START for at, _ in found[1, 245_000]] == [1, 5, SPAN_MS - 1]
    assert found[1, 245_001] == [(START + SPAN_MS + 5, START + SPAN_MS + 5)]


def test_of_two_bodies_of_one_time_the_later_counts() -> None:
    blocks = [body([1, 2, 3, 4], START + step, [number] * 4) for number, step in enumerate([0, 1, 2, 1])]
    assert shown(blocks)[3, 245_000] == [(START, 0.0), (START + 1, 3.0), (START + 2, 2.0)]


def test_nothing_gives_no_parts() -> None:
    assert sort_into_parts([]) == []
