"""The breaker's rules, and its machine under whatever calls, times and clocks come."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from atalaia.outbound.breaker import (
    BREAKER_RULES,
    CLOSED,
    FAILURES,
    LONGEST_PAUSE_S,
    TRIAL_S,
    BreakerState,
    after_call,
    claim_trial,
    longest_pause_of,
    pause_s,
    wait_s,
)
from atalaia.sdk.upstreams import CallOutcome

START_MS = 1_800_000_000_000
FAILED: CallOutcome = "temporary"
WELL: CallOutcome = "ok"


def _after(*outcomes: CallOutcome, state: BreakerState = CLOSED, now_ms: int = START_MS) -> BreakerState:
    for outcome in outcomes:
        state = after_call(state, outcome, now_ms=now_ms)
    return state


def test_five_failures_in_a_row_open_it_for_thirty_seconds() -> None:
    assert _after(*[FAILED] * 4).phase == "closed"
    opened = _after(*[FAILED] * 5)
    assert (opened.phase, wait_s(opened, now_ms=START_MS)) == ("open", 30)


def test_half_of_ten_failures_within_a_minute_open_it() -> None:
    assert _after(*[WELL, FAILED] * 4, "ok").phase == "closed"
    assert _after(*[WELL, FAILED] * 5).phase == "open"


def test_failures_older_than_a_minute_count_no_more() -> None:
    before = _after(*[WELL, FAILED] * 4, "ok")
    assert _after(FAILED, state=before, now_ms=START_MS + 61_000).phase == "closed"


@pytest.mark.parametrize("outcome", ["auth", "permanent", "ok", "refused"])
def test_an_answer_is_no_failure_of_the_upstream(outcome: CallOutcome) -> None:
    assert _after(*[outcome] * 20).phase == "closed"


def test_one_trial_is_let_through_after_the_pause() -> None:
    opened = _after(*[FAILED] * 5)
    assert claim_trial(opened, now_ms=START_MS + 29_999) is None
    trial = claim_trial(opened, now_ms=START_MS + 30_000)
    assert trial is not None
    assert claim_trial(trial, now_ms=START_MS + 30_001) is None
    assert _after("ok", state=trial, now_ms=START_MS + 30_100).phase == "closed"


def test_each_failed_trial_doubles_the_pause_to_five_minutes() -> None:
    state, now_ms, pauses = _after(*[FAILED] * 5), START_MS, []
    for _ in range(6):
        pauses.append(wait_s(state, now_ms=now_ms))
        now_ms = state.until_ms
        trial = claim_trial(state, now_ms=now_ms)
        assert trial is not None
        state = _after(FAILED, state=trial, now_ms=now_ms)
    assert pauses == [30, 60, 120, 240, 300, 300]


def test_a_trial_whose_result_never_comes_gives_its_place_to_another() -> None:
    trial = claim_trial(_after(*[FAILED] * 5), now_ms=START_MS + 30_000)
    assert trial is not None
    assert claim_trial(trial, now_ms=START_MS + 30_000 + int(TRIAL_S * 1000)) is not None


def test_a_trial_that_could_not_be_made_gives_its_place_back_at_once() -> None:
    trial = claim_trial(_after(*[FAILED] * 5), now_ms=START_MS + 30_000)
    assert trial is not None
    assert claim_trial(_after("refused", state=trial, now_ms=START_MS + 30_500), now_ms=START_MS + 30_500) is not None


def test_a_polled_upstream_is_left_alone_for_no_longer_than_its_turn() -> None:
    opened = CLOSED
    for _ in range(5):
        opened = after_call(opened, FAILED, now_ms=START_MS, longest_pause_s=longest_pause_of(10.0))
    assert wait_s(opened, now_ms=START_MS) == 10


def test_a_clock_that_is_set_back_does_not_keep_it_open() -> None:
    opened = _after(*[FAILED] * 5)
    assert wait_s(opened, now_ms=START_MS - 3_600_000) == 0


@given(st.integers(1, 10_000), st.floats(0.5, 1000))
def test_no_pause_is_longer_than_allowed(pauses: int, longest_s: float) -> None:
    assert 0 < pause_s(pauses, longest_s=longest_s) <= min(LONGEST_PAUSE_S, longest_s)


def _trial() -> BreakerState:
    trial = claim_trial(_after(*[FAILED] * 5), now_ms=START_MS + 30_000)
    assert trial is not None
    return trial


def _claimed(state: BreakerState, now_ms: int) -> str:
    return (claim_trial(state, now_ms=now_ms) or state).phase


# What each row of the table means, done.
_EXAMPLES: dict[tuple[str, str], Callable[[], str]] = {
    ("closed", "5 failures in a row"): lambda: _after(*[FAILED] * 5).phase,
    ("closed", "half of at least 10 calls within 60 s failed, and this one"): lambda: _after(*[WELL, FAILED] * 5).phase,
    ("closed", "any other result"): lambda: _after(*[FAILED] * 4, WELL).phase,
    ("open", "a call, before the pause is over"): lambda: _claimed(_after(*[FAILED] * 5), START_MS + 29_999),
    ("open", "a call, after the pause"): lambda: _claimed(_after(*[FAILED] * 5), START_MS + 30_000),
    ("open", "a result of a call that began before"): lambda: _after(*[FAILED] * 5, WELL).phase,
    ("trial", "another call"): lambda: _claimed(_trial(), START_MS + 30_001),
    ("trial", "it went well, or was answered by a 4xx"): lambda: _after("permanent", state=_trial()).phase,
    ("trial", "it failed"): lambda: _after(FAILED, state=_trial()).phase,
    ("trial", "it could not be made"): lambda: _after("refused", state=_trial()).phase,
    ("trial", "no result within 60 s, and a call"): lambda: _claimed(_trial(), START_MS + 90_000),
}


@pytest.mark.parametrize("rule", BREAKER_RULES, ids=lambda rule: " / ".join(rule[:2]))
def test_each_row_of_the_table_is_what_happens(rule: tuple[str, str, str]) -> None:
    assert _EXAMPLES[rule[0], rule[1]]() == rule[2]


def test_the_table_is_the_one_on_the_page() -> None:
    page = (Path(__file__).parents[3] / "docs" / "states.md").read_text(encoding="utf-8")
    shown = page.split("<!-- table: breaker -->")[1].strip().split("\n\n")[0].splitlines()[2:]
    assert [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in shown] == list(BREAKER_RULES)


class BreakerMachine(RuleBasedStateMachine):
    """Calls are admitted as clients admit them, results come in any order, at any time, or never."""

    def __init__(self) -> None:
        super().__init__()
        self.state = CLOSED
        self.now_ms = START_MS
        self.in_flight = 0
        self.failed_in_row = 0
        self.trials_open = 0

    @rule(seconds=st.floats(0, 400))
    def time_passes(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)

    @rule()
    def a_call_asks(self) -> None:
        if self.state.phase == "closed":
            self.in_flight += 1
            return
        claimed = claim_trial(self.state, now_ms=self.now_ms)
        if claimed is None:
            return
        assert self.now_ms >= self.state.until_ms, "let through before its time"
        again = claim_trial(claimed, now_ms=self.now_ms)
        assert again is None, "two trials at once"
        self.state = claimed
        self.in_flight += 1

    @rule(outcome=st.sampled_from(["ok", "temporary", "auth", "permanent", "bad_payload", "refused"]))
    def a_result_comes(self, outcome: CallOutcome) -> None:
        if not self.in_flight:
            return
        self.in_flight -= 1
        before = self.state
        self.state = after_call(before, outcome, now_ms=self.now_ms)
        if before.phase == "open":
            assert self.state == before, "a late result has moved an open breaker"
        if before.phase == "closed" and outcome not in FAILURES:
            assert self.state.phase == "closed", "opened by what is no failure"
        if before.phase == "trial" and outcome in FAILURES:
            assert (self.state.phase, self.state.pauses) == ("open", before.pauses + 1)
        if before.phase == "trial" and outcome in {"ok", "auth", "permanent"}:
            assert (self.state.phase, self.state.pauses) == ("closed", 0)

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        assert wait_s(self.state, now_ms=self.now_ms) <= LONGEST_PAUSE_S

    @invariant()
    def a_closed_one_has_not_seen_five_in_a_row(self) -> None:
        assert self.state.phase != "closed" or self.state.in_row < 5

    @invariant()
    def its_memory_is_bounded(self) -> None:
        assert len(self.state.window) <= 12


TestBreakerMachine = BreakerMachine.TestCase
