from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.outbound.retry import full_jitter_s, parse_retry_after_s

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_never_passes_its_cap(attempt: int, chance: float) -> None:
    assert 0 <= full_jitter_s(attempt, base_s=1, cap_s=60, chance=lambda: chance) < 60


def test_the_wait_doubles_until_the_cap() -> None:
    longest = [full_jitter_s(n, base_s=1, cap_s=10, chance=lambda: 1.0) for n in range(1, 7)]
    assert longest == [1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("9" * 5000, 86_400),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0),
        (None, None),
        ("", None),
        ("soon", None),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("Mon, 01 Jan 2020 00:00:00 +99999999999999", None),
        ("-5", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, wait_s: float | None) -> None:
    assert parse_retry_after_s(value, now=NOW) == wait_s


@given(st.text())
def test_no_retry_after_breaks_the_parser(value: str) -> None:
    parse_retry_after_s(value, now=NOW)
