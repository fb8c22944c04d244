"""Guessing gets slower and slower; nobody is kept out for ever."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.access.attempts import PATIENCE, Counter, Tally, wait_s, with_failure

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def after_failures(counter: Counter, failures: int) -> Tally | None:
    tally: Tally | None = None
    for _ in range(failures):
        tally = with_failure(counter, tally, now=NOW)
    return tally


@pytest.mark.parametrize("counter", list(Counter))
def test_the_first_failures_cost_no_wait(counter: Counter) -> None:
    assert wait_s(counter, after_failures(counter, PATIENCE[counter].free - 1), now=NOW) == 0


@pytest.mark.parametrize("counter", list(Counter))
def test_then_the_wait_doubles_up_to_its_limit(counter: Counter) -> None:
    patience = PATIENCE[counter]
    waits = [wait_s(counter, after_failures(counter, patience.free + extra), now=NOW) for extra in range(15)]
    assert waits[0] == patience.first_wait_s
    assert waits[1] == patience.first_wait_s * 2
    assert waits == sorted(waits)
    assert waits[-1] == patience.longest_wait_s


@pytest.mark.parametrize("counter", list(Counter))
def test_every_wait_ends_by_itself(counter: Counter) -> None:
    tally = after_failures(counter, 1000)
    later = NOW + timedelta(seconds=PATIENCE[counter].longest_wait_s)
    assert wait_s(counter, tally, now=later) == 0


def test_strangers_slow_an_account_by_a_minute_at_most() -> None:
    assert wait_s(Counter.ACCOUNT, after_failures(Counter.ACCOUNT, 100_000 // 100), now=NOW) <= 60


def test_failures_are_forgotten_after_a_quiet_while() -> None:
    tally = after_failures(Counter.PAIR, 50)
    later = NOW + timedelta(seconds=PATIENCE[Counter.PAIR].forgets_after_s)
    assert with_failure(Counter.PAIR, tally, now=later).failures == 1


def test_one_address_gets_no_more_than_some_hundred_guesses_a_day() -> None:
    """Guessing at every moment that is allowed."""
    now, tally, tries = NOW, None, 0
    while now < NOW + timedelta(days=1):
        tally = with_failure(Counter.PAIR, tally, now=now)
        tries += 1
        now += timedelta(seconds=max(wait_s(Counter.PAIR, tally, now=now), 0.1))
    assert tries < 120


def test_after_the_clock_was_set_back_the_next_try_is_allowed_in_its_time() -> None:
    tally = Tally(failures=10, last_at=NOW)
    back = NOW - timedelta(hours=1)
    assert wait_s(Counter.PAIR, tally, now=back) == 0
    again = with_failure(Counter.PAIR, tally, now=back)
    assert 0 < wait_s(Counter.PAIR, again, now=back) <= PATIENCE[Counter.PAIR].longest_wait_s


@given(st.sampled_from(list(Counter)), st.integers(0, 10**9), st.integers(-(10**6), 10**6))
def test_no_wait_is_longer_than_its_limit_even_when_the_clock_goes_back(
    counter: Counter, failures: int, offset_s: int
) -> None:
    tally = Tally(failures=failures, last_at=NOW)
    wait = wait_s(counter, tally, now=NOW + timedelta(seconds=offset_s))
    assert 0 <= wait <= PATIENCE[counter].longest_wait_s
