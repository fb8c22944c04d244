"""The newest samples, in memory: found at once, forgotten by their rows in the log."""

import numpy as np

from atalaia.metrics.exposition import Samples
from atalaia.metrics.head import Head


def block(series_id: int, *times: int) -> Samples:
    return Samples(np.full(len(times), series_id, np.int64), np.array(times, np.int64), np.array(times, np.float64))


def found(head: Head, series_id: int) -> list[int]:
    its = head.find([series_id], from_ms=0, to_ms=1_000).get(series_id)
    return [] if its is None else its.at_ms.tolist()


def test_what_was_added_is_found_in_order_of_arrival() -> None:
    head = Head()
    head.append(1, [block(7, 20, 10), block(8, 5)])
    assert found(head, 7) == [20, 10]
    head.append(2, [block(7, 15, 2_000)])
    assert found(head, 7) == [20, 10, 15]
    assert len(head) == 5


def test_a_row_of_the_log_counts_once() -> None:
    head = Head()
    for _ in range(2):
        head.append(1, [block(7, 20)])
        assert found(head, 7) == [20]
    assert len(head) == 1


def test_what_is_dropped_is_gone_whether_it_was_asked_for_or_not() -> None:
    head = Head()
    for number in (1, 2, 3):
        head.append(number, [block(7, number), block(8, number)])
    assert found(head, 7) == [1, 2, 3]
    head.append(4, [block(7, 4)])
    head.append(5, [block(7, 5)])
    head.drop([2, 4, 99])
    assert found(head, 7) == [1, 3, 5]
    assert head.log_ids() == {1, 3, 5}
    assert len(head) == 5
    head.drop([1, 3, 5])
    assert (len(head), head.log_ids(), found(head, 7)) == (0, set(), [])
