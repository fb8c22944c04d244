"""When a run may begin, what a rate is, what names and sources may be."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.signals.model.answers import Answer, answer_of
from atalaia.signals.model.locks import Free, Held, Lock, Throttled, judge
from atalaia.signals.model.rate import Level, Minute, next_level, rate_of
from atalaia.signals.model.signals import check_name, shown_source
from atalaia.signals.service.counting import place_of

MINUTE = 60_000
STATES_PAGE = Path(__file__).parents[3] / "docs" / "states.md"


def running(until_ms: int) -> Lock:
    return Lock(1, 1_000, until_ms, 0, "run", "here")


def test_the_states_page_says_what_the_code_does() -> None:
    text = STATES_PAGE.read_text(encoding="utf-8").partition("<!-- table: signal -->")[2].partition("\n## ")[0]
    shown = [
        tuple(cell.strip() for cell in row.split("|")[1:-1]) for row in re.findall(r"^\|.*\|$", text, re.MULTILINE)[2:]
    ]
    cases = {
        "in force": running(9_000),
        "lapsed": running(5_000),
        "free": Lock(1, 1_000, 0, 0),
    }
    said = {Held: "200, skipped", Throttled: "429, throttled", Free: "202, a run begins"}
    made = []
    for lease, lock in cases.items():
        for throttle, min_interval_ms in (("passed", 1_000), ("not yet", 60_000)):
            verdict = judge(lock, now_ms=5_000, min_interval_ms=min_interval_ms)
            lost = " after the former is put on record as lost" if verdict == Free(is_lost=True) else ""
            made.append((lease, throttle, said[type(verdict)] + lost))
    assert shown == made


@given(st.integers(0, 10**6), st.integers(0, 10**5))
def test_no_run_begins_within_the_interval(elapsed_ms: int, min_interval_ms: int) -> None:
    lock = Lock(7, 10**9, 0, 0)
    verdict = judge(lock, now_ms=10**9 + elapsed_ms, min_interval_ms=min_interval_ms)
    assert isinstance(verdict, Throttled) == (elapsed_ms < min_interval_ms)
    if isinstance(verdict, Throttled):
        assert elapsed_ms + verdict.left_ms == min_interval_ms


def test_a_start_in_the_future_throttles_nobody() -> None:
    assert judge(Lock(1, 10**9, 0, 0), now_ms=10**9 - 3_600_000, min_interval_ms=1_500) == Free()


def minutes(count: int, **answers: int) -> list[Minute]:
    return [Minute(minute=number, **answers) for number in range(count)]


@pytest.mark.parametrize(
    ("answered", "level"),
    [(30, Level.WELL), (29, Level.WELL), (28, Level.DEGRADED), (27, Level.DEGRADED), (26, Level.FAILING)],
)
def test_a_rate_counts_what_never_came(answered: int, level: Level) -> None:
    """A signal every 2 s: 450 in a quarter of an hour."""
    rate = rate_of(minutes(15, started=answered), now_ms=15 * MINUTE, since_ms=0, expect_every_s=2)
    assert (rate.expected, rate.answered, rate.level) == (450, 15 * answered, level)


def test_several_senders_are_no_more_than_enough() -> None:
    rate = rate_of(minutes(15, skipped=90), now_ms=15 * MINUTE, since_ms=0, expect_every_s=2)
    assert rate.ratio == 1.0


def test_this_minute_and_what_was_before_say_nothing() -> None:
    rate = rate_of(minutes(30, started=30), now_ms=20 * MINUTE + 30_000, since_ms=18 * MINUTE, expect_every_s=2)
    assert (rate.expected, rate.answered) == (60, 60)


def test_too_few_say_nothing() -> None:
    rate = rate_of(minutes(15, failed=1), now_ms=15 * MINUTE, since_ms=0, expect_every_s=None)
    assert (rate.ratio, rate.level) == (None, Level.UNKNOWN)


def test_a_sender_that_seldom_sends_is_judged_over_a_longer_time() -> None:
    rate = rate_of(minutes(100, started=1), now_ms=100 * MINUTE, since_ms=0, expect_every_s=300)
    assert (rate.expected, rate.level) == (20, Level.WELL)


def test_a_failing_signal_has_to_be_well_again() -> None:
    worse = rate_of(minutes(15, started=28), now_ms=15 * MINUTE, since_ms=0, expect_every_s=2)
    assert next_level(Level.FAILING, worse) is Level.FAILING
    assert next_level(Level.WELL, worse) is Level.DEGRADED


def test_statuses_count_as_what_they_are() -> None:
    assert [answer_of(status) for status in (202, 200, 429, 401, 403, 400, 413, 409, 500, 503)] == [
        Answer.STARTED,
        Answer.SKIPPED,
        Answer.THROTTLED,
        *[Answer.REFUSED] * 2,
        *[Answer.INVALID] * 3,
        *[Answer.FAILED] * 2,
    ]


@pytest.mark.parametrize("name", ["", "a b", "-a", "a/b", "ä", "a" * 101, "a\0"])
def test_a_name_is_part_of_an_address(name: str) -> None:
    with pytest.raises(InvalidField):
        check_name(name)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_any_source_is_fine(source: object) -> None:
    shown = shown_source(source)
    assert shown.isprintable()
    assert len(shown) <= 200


def test_a_place_of_ipv6_is_its_network() -> None:
    assert place_of("2001:db8:1:2:3::4") == "2001:db8:1:2::/64"
    assert place_of("192.0.2.1") == "192.0.2.1"
    assert place_of("-") == "-"
