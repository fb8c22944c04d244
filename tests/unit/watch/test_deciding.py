"""What the decider promises, case by case."""

from collections.abc import Sequence

import pytest

from atalaia.watch.model.checks import CheckKind, CheckSpec
from atalaia.watch.model.deciding import decide
from atalaia.watch.model.observations import Moved, Observation, Paused, Result, Resumed, Silent
from atalaia.watch.model.standing import Decision, Policy, Standing, Transition
from atalaia.watch.model.states import CheckState

ONE = Policy(places=("a",), failures_to_down=2, failures_window=2)
THREE = Policy(places=("a", "b", "c"))


def good(at_ms: int, place: str = "a", **more: object) -> Result:
    return Result(place=place, at_ms=at_ms, is_ok=True, **more)  # type: ignore[arg-type] # passed through


def bad(at_ms: int, place: str = "a", **more: object) -> Result:
    return Result(place=place, at_ms=at_ms, is_ok=False, **more)  # type: ignore[arg-type] # passed through


def run(policy: Policy, *seen: Observation, now_ms: int = 10**9) -> tuple[Standing, list[Transition]]:
    standing, changes = Standing(), list[Transition]()
    for one in seen:
        decision: Decision = decide(standing, one, policy, now_ms)
        standing = decision.standing
        changes += decision.transitions
    return standing, changes


def states(changes: Sequence[Transition]) -> list[str]:
    return [str(change.after) for change in changes]


def test_the_first_good_result_makes_it_up() -> None:
    standing, changes = run(ONE, good(1))
    assert standing.state is CheckState.UP
    assert changes == [Transition(at_ms=1, before=CheckState.UNKNOWN, after=CheckState.UP, was_settled=None)]


def test_one_failure_of_two_is_not_yet_down() -> None:
    assert run(ONE, good(1), bad(2))[0].state is CheckState.UP
    assert run(ONE, bad(1))[0].state is CheckState.UNKNOWN


def test_two_failures_in_a_row_are_down_at_the_second() -> None:
    standing, changes = run(ONE, good(1), bad(2), bad(3, reason="timeout"))
    assert standing.state is CheckState.DOWN
    assert (changes[-1].at_ms, changes[-1].reason, standing.since_ms) == (3, "timeout", 3)


def test_n_of_m_counts_failures_with_successes_between() -> None:
    policy = Policy(places=("a",), failures_to_down=3, failures_window=5)
    assert run(policy, bad(1), good(2), bad(3), good(4), bad(5))[0].state is CheckState.DOWN
    assert run(policy, bad(1), good(2), bad(3), good(4), good(5), bad(6))[0].state is CheckState.UP


def test_after_a_recovery_old_failures_do_not_count() -> None:
    policy = Policy(places=("a",), failures_to_down=2, failures_window=5)
    assert states(run(policy, bad(1), bad(2), good(3), bad(4))[1]) == ["down", "up"]


def test_recovery_takes_as_many_successes_in_a_row_as_set() -> None:
    policy = Policy(places=("a",), successes_to_up=3)
    assert run(policy, bad(1), good(2), good(3), bad(4), good(5), good(6))[0].state is CheckState.DOWN
    assert run(policy, bad(1), good(2), good(3), good(4))[0].state is CheckState.UP


def test_slow_answers_are_degraded_and_come_back() -> None:
    policy = Policy(places=("a",), degraded_ms=100)
    seen = [good(1, took_ms=100), good(2, took_ms=101), good(3, took_ms=5)]
    assert states(run(policy, *seen)[1]) == ["up", "degraded", "up"]


def test_what_is_slow_says_how_slow() -> None:
    policy = Policy(places=("a",), degraded_ms=100)
    changes = run(policy, good(1, took_ms=100), good(2, took_ms=1234.5))[1]
    assert [change.reason for change in changes] == [None, "slow: 1234 ms > 100 ms"]


def test_near_expiry_is_degraded_without_a_threshold() -> None:
    policy = Policy(places=("a",))
    assert run(policy, good(1), good(2, is_degraded=True))[0].state is CheckState.DEGRADED


def test_down_and_then_slow_is_degraded() -> None:
    policy = Policy(places=("a",), degraded_ms=10)
    assert states(run(policy, bad(1), good(2, took_ms=50))[1]) == ["down", "degraded"]


def test_an_older_result_never_changes_the_present_state() -> None:
    before, _ = run(ONE, good(10), bad(20))
    assert decide(before, bad(20), ONE, 30) == Decision(before)
    assert decide(before, bad(5), ONE, 30) == Decision(before)


def test_a_failure_while_the_own_line_is_down_is_not_the_targets() -> None:
    seen = [good(1), *(bad(at, is_line_down=True) for at in range(2, 9))]
    standing, changes = run(ONE, *seen)
    assert states(changes) == ["up", "unknown"]
    assert states(run(ONE, *seen, good(20))[1]) == ["up", "unknown", "up"]
    assert standing.state is CheckState.UNKNOWN


def test_a_success_counts_even_when_the_reference_addresses_do_not_answer() -> None:
    assert run(ONE, good(1, is_line_down=True))[0].state is CheckState.UP


def test_a_silent_agent_makes_it_unknown_and_never_down() -> None:
    seen = (bad(1), bad(2), Silent(place="a", at_ms=100))
    assert states(run(ONE, *seen)[1]) == ["down", "unknown"]
    assert run(ONE, Silent(place="a", at_ms=100))[0].state is CheckState.UNKNOWN


def test_what_was_measured_before_the_silence_and_comes_after_it_is_history() -> None:
    standing, changes = run(ONE, good(1), Silent(place="a", at_ms=100), bad(50), bad(60))
    assert standing.state is CheckState.UNKNOWN
    assert states(changes) == ["up", "unknown"]


def test_after_a_silence_the_first_result_tells() -> None:
    _, changes = run(ONE, bad(1), bad(2), Silent(place="a", at_ms=100), bad(101), good(102))
    assert states(changes) == ["down", "unknown", "down", "up"]
    assert changes[2].was_settled is CheckState.DOWN


def test_one_place_of_three_is_not_enough() -> None:
    up = [good(1, place) for place in "abc"]
    assert run(THREE, *up, bad(2, "a"))[0].state is CheckState.UP
    assert run(THREE, *up, bad(2, "a"), bad(3, "c"))[0].state is CheckState.DOWN


def test_the_first_place_to_answer_does_not_decide_alone() -> None:
    assert run(THREE, bad(1, "a"))[0].state is CheckState.UNKNOWN


def test_a_silent_place_shrinks_the_quorum() -> None:
    silent = [Silent(place="b", at_ms=5), Silent(place="c", at_ms=5)]
    assert run(THREE, good(1, "a"), *silent, bad(6, "a"))[0].state is CheckState.DOWN


@pytest.mark.parametrize(("quorum", "expected"), [(1, "down"), (2, "up"), (3, "up")])
def test_a_named_quorum_is_kept(quorum: int, expected: str) -> None:
    policy = Policy(places=("a", "b", "c"), quorum=quorum)
    standing, _ = run(policy, *(good(1, place) for place in "abc"), bad(2, "b"))
    assert standing.state == expected


def test_two_of_two_must_agree_by_default() -> None:
    policy = Policy(places=("a", "b"))
    assert run(policy, good(1, "a"), good(1, "b"), bad(2, "a"))[0].state is CheckState.UP
    assert run(policy, good(1, "a"), good(1, "b"), bad(2, "a"), bad(2, "b"))[0].state is CheckState.DOWN


def test_a_place_that_is_not_the_checks_own_has_no_say() -> None:
    assert run(ONE, bad(1, "z"), bad(2, "z"), Silent(place="z", at_ms=9)) == (Standing(), [])


def test_pausing_forgets_and_results_change_nothing_meanwhile() -> None:
    standing, changes = run(ONE, bad(1), bad(2), Paused(at_ms=3), bad(4), good(5))
    assert standing.state is CheckState.PAUSED
    assert states(changes) == ["down", "paused"]


def test_resuming_begins_anew() -> None:
    _, changes = run(ONE, bad(1), bad(2), Paused(at_ms=3), Resumed(at_ms=4), bad(5), bad(6))
    assert states(changes) == ["down", "paused", "unknown", "down"]
    assert changes[-1].was_settled is None


def test_resuming_what_runs_changes_nothing() -> None:
    before, _ = run(ONE, good(1))
    assert decide(before, Resumed(at_ms=2), ONE, 2) == Decision(before)


def test_a_clock_ahead_does_not_blind_the_check_once_it_is_right() -> None:
    first = decide(Standing(), good(1_000_000), ONE, 500)
    assert first.standing.since_ms == 500
    assert decide(first.standing, bad(501), ONE, 501).standing != first.standing


def test_a_clock_set_back_does_not_blind_the_check_for_what_it_was_set_back_by() -> None:
    up, hour_ms = decide(Standing(), good(3_700_000), ONE, 3_700_000).standing, 3_600_000
    once = decide(up, bad(3_700_100 - hour_ms), ONE, 3_700_100 - hour_ms).standing
    twice = decide(once, bad(3_700_200 - hour_ms), ONE, 3_700_200 - hour_ms).standing
    assert twice.state is CheckState.DOWN
    silent = decide(up, Silent(place="a", at_ms=3_700_100 - hour_ms), ONE, 3_700_100 - hour_ms).standing
    assert silent.state is CheckState.UNKNOWN


def test_hubs_whose_clocks_differ_a_little_keep_the_order_of_results() -> None:
    up = decide(Standing(), good(10_000), ONE, 10_000).standing
    assert decide(up, bad(9_999), ONE, 5_000) == Decision(up)


def test_another_agent_takes_over_and_is_believed_when_it_speaks() -> None:
    moved = Moved(old_place="a", place="b", at_ms=100)
    after = Policy(places=("b",), failures_to_down=2, failures_window=2)
    standing, _ = run(ONE, good(1), Silent(place="a", at_ms=90))
    standing = decide(standing, moved, after, 100).standing
    assert standing.state is CheckState.UNKNOWN
    assert decide(standing, good(50, "b"), after, 101).standing.state is CheckState.UP


def test_a_flapping_check_needs_more_successes_but_goes_down_as_fast() -> None:
    policy = Policy(places=("a",), flap_changes=4)
    seen: list[Observation] = [good(1), bad(2), good(3), bad(4), good(5), bad(6)]
    standing, changes = run(policy, *seen, good(7), good(8), good(9), good(10))
    assert standing.state is CheckState.DOWN
    assert states(changes).count("down") == 3
    assert run(policy, *seen, *(good(at) for at in range(7, 12)))[0].state is CheckState.UP


def test_the_longer_it_flaps_the_more_it_takes_up_to_five_minutes() -> None:
    policy = CheckSpec(name="Shop", kind=CheckKind.HTTP, interval_s=1, failures_to_down=1).policy(places=("a",))
    standing, at = decide(Standing(), good(1), policy, 1).standing, 1
    took = []
    for _ in range(10):
        at += 1000
        standing = decide(standing, bad(at), policy, at).standing
        took.append(0)
        while states(decide(standing, good(at + 1000), policy, at + 1000).transitions) != ["up"]:
            at, took[-1] = at + 1000, took[-1] + 1
            standing = decide(standing, good(at), policy, at).standing
        at, took[-1] = at + 1000, took[-1] + 1
        standing = decide(standing, good(at), policy, at).standing
    assert took == [1, 1, 1, 5, 10, 20, 40, 80, 100, 100]


@pytest.mark.parametrize("interval_s", [1, 5, 30])
@pytest.mark.parametrize(("bad_ones", "good_ones"), [(2, 1), (2, 4), (2, 6), (5, 2), (10, 20)])
def test_a_check_that_flaps_for_an_hour_wakes_nobody_dozens_of_times(
    interval_s: int, bad_ones: int, good_ones: int
) -> None:
    policy = CheckSpec(name="Shop", kind=CheckKind.HTTP, interval_s=interval_s).policy(places=("a",))
    turn = [bad] * bad_ones + [good] * good_ones
    times = range(interval_s * 1000, 3_600_000, interval_s * 1000)
    standing, changes = run(policy, *(turn[number % len(turn)](at) for number, at in enumerate(times)))
    assert states(changes).count("down") <= 10
    well = (good(3_600_000 + interval_s * 1000 * number) for number in range(300 // interval_s + 6))
    for seen in well:
        standing = decide(standing, seen, policy, seen.at_ms).standing
    assert standing.state is CheckState.UP


def test_flapping_ends_with_time() -> None:
    policy = Policy(places=("a",), flap_changes=2)
    hour_ms = 3_600_000
    assert run(policy, good(1), bad(2), good(3), bad(hour_ms), good(hour_ms + 1))[0].state is CheckState.UP
