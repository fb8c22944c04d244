"""Commits wait for company only where there is some."""

import pytest

from atalaia.store.inbox import BUSY_PER_S, PAUSE_S, WINDOW_S, Pace


def come_in(pace: Pace, *, per_s: int, since: float, seconds: float) -> float:
    """One by one; the instant after the last."""
    count = round(per_s * seconds)
    for number in range(count):
        pace.note(1, since + number / per_s)
    return since + count / per_s


def test_who_writes_alone_does_not_wait() -> None:
    pace = Pace()
    pace.note(1, 100.0)
    assert pace.pause_s(100.0) == 0
    now = come_in(pace, per_s=BUSY_PER_S // 2, since=101.0, seconds=3 * WINDOW_S)
    assert pace.pause_s(now) == 0


def test_where_much_comes_in_commits_keep_their_distance() -> None:
    pace = Pace()
    now = come_in(pace, per_s=2 * BUSY_PER_S, since=100.0, seconds=3 * WINDOW_S)
    pace.note(1, now)
    assert pace.pause_s(now) == pytest.approx(PAUSE_S)
    assert 0 < pace.pause_s(now + PAUSE_S / 2) < PAUSE_S
    assert pace.pause_s(now + 1.1 * PAUSE_S) == 0


def test_once_it_is_quiet_again_nobody_waits() -> None:
    pace = Pace()
    now = come_in(pace, per_s=2 * BUSY_PER_S, since=100.0, seconds=3 * WINDOW_S)
    assert pace.pause_s(now + 10) == 0
    pace.note(1, now + 10)
    pace.note(1, now + 20)
    assert pace.pause_s(now + 20) == 0
