"""Uptime counts what is known, and days are the reader's own."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from atalaia.watch.model.states import CheckState
from atalaia.watch.model.uptime import days, uptime
from atalaia.watch.model.values import Span

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_half_of_the_known_time_down_is_half_up() -> None:
    spans = [
        Span(CheckState.UNKNOWN, NOW - 10 * HOUR, NOW - 4 * HOUR),
        Span(CheckState.UP, NOW - 4 * HOUR, NOW - 3 * HOUR),
        Span(CheckState.DEGRADED, NOW - 3 * HOUR, NOW - 2 * HOUR),
        Span(CheckState.DOWN, NOW - 2 * HOUR, None),
    ]
    assert uptime(spans, NOW - 24 * HOUR, NOW) == 0.5


def test_where_nothing_is_known_there_is_no_figure() -> None:
    assert uptime([], NOW - HOUR, NOW) is None
    assert uptime([Span(CheckState.PAUSED, NOW - HOUR)], NOW - HOUR, NOW) is None


def test_only_the_time_asked_for_counts() -> None:
    spans = [Span(CheckState.DOWN, NOW - 9 * HOUR, NOW - 2 * HOUR), Span(CheckState.UP, NOW - 2 * HOUR)]
    assert uptime(spans, NOW - 2 * HOUR, NOW) == 1.0


def test_the_worst_of_a_day_is_its_colour_and_days_begin_in_the_readers_zone() -> None:
    # 02:30 UTC on the 10th is still the 9th in São Paulo.
    fell = datetime(2026, 3, 10, 2, 30, tzinfo=UTC)
    spans = [
        Span(CheckState.UP, NOW - 100 * HOUR, fell),
        Span(CheckState.DOWN, fell, fell + timedelta(minutes=15)),
        Span(CheckState.UP, fell + timedelta(minutes=15)),
    ]
    bar = days(spans, now=NOW, timezone=ZoneInfo("America/Sao_Paulo"), count=10)
    by_date = {day.date.day: day for day in bar}
    assert by_date[9].state is CheckState.DOWN
    assert by_date[10].state is CheckState.UP
    assert bar[0].state is None
    assert bar[-1].date.day == 10
    assert by_date[10].uptime == 1.0
