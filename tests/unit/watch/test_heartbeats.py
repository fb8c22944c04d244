"""Heartbeats: overdue exactly at last + period + grace."""

from hypothesis import given, settings
from hypothesis import strategies as st

from atalaia.watch.model.deciding import decide, still_well
from atalaia.watch.model.observations import Beat, BeatKind, Observation, Paused, Resumed, Tick
from atalaia.watch.model.standing import HEARTBEAT_PLACE, Decision, Policy, Standing, Transition, deadline_ms
from atalaia.watch.model.states import CheckState

POLICY = Policy(places=(HEARTBEAT_PLACE,), period_ms=1000, grace_ms=100)


def beat(at_ms: int, kind: BeatKind = BeatKind.SUCCESS, run: str = "") -> Beat:
    return Beat(at_ms=at_ms, kind=kind, run=run)


def play(*seen: Observation, policy: Policy = POLICY) -> tuple[Standing, list[Transition]]:
    standing, changes = Standing(), list[Transition]()
    for one in seen:
        decision = decide(standing, one, policy, 10**9)
        standing = decision.standing
        changes += decision.transitions
    return standing, changes


def states(changes: list[Transition]) -> list[str]:
    return [str(change.after) for change in changes]


def test_before_the_first_ping_it_is_unknown_for_ever() -> None:
    assert play(Tick(at_ms=10**8)) == (Standing(), [])


def test_a_success_is_up_and_sets_the_deadline() -> None:
    standing, _ = play(beat(5))
    assert standing.state is CheckState.UP
    assert deadline_ms(standing, POLICY) == 1105


def test_it_is_overdue_at_the_deadline_and_not_a_millisecond_earlier() -> None:
    standing, _ = play(beat(5))
    assert decide(standing, Tick(at_ms=1104), POLICY, 1104) == Decision(standing)
    change = decide(standing, Tick(at_ms=1105), POLICY, 1105).transitions[0]
    assert (change.at_ms, change.after, change.reason) == (1105, CheckState.DOWN, "overdue")


def test_a_late_look_dates_the_change_at_the_deadline() -> None:
    assert play(beat(5), Tick(at_ms=9000))[1][-1].at_ms == 1105


def test_a_ping_after_the_deadline_finds_it_down_first() -> None:
    _, changes = play(beat(5), beat(2000))
    assert [(change.at_ms, str(change.after)) for change in changes] == [(5, "up"), (1105, "down"), (2000, "up")]


def test_a_failure_is_down_at_once_and_a_success_up_again() -> None:
    assert states(play(beat(1), beat(2, BeatKind.FAIL), beat(3))[1]) == ["up", "down", "up"]


def test_pings_in_one_millisecond_all_count() -> None:
    assert states(play(beat(1), beat(1, BeatKind.FAIL), beat(1))[1]) == ["up", "down", "up"]


def test_a_log_changes_nothing() -> None:
    before, _ = play(beat(5))
    assert decide(before, beat(900, BeatKind.LOG), POLICY, 900) == Decision(before)


def test_a_run_that_begins_and_does_not_end_is_overdue_after_the_grace() -> None:
    standing, changes = play(beat(5), beat(500, BeatKind.START), Tick(at_ms=600))
    assert standing.state is CheckState.DOWN
    assert changes[-1].at_ms == 600


def test_the_end_of_a_run_gives_its_duration() -> None:
    standing, _ = play(beat(5), beat(500, BeatKind.START), beat(560))
    assert standing.took_ms == 60
    assert deadline_ms(standing, POLICY) == 560 + 1100


def test_runs_side_by_side_are_paired_by_their_id() -> None:
    standing, _ = play(beat(0, BeatKind.START, "x"), beat(30, BeatKind.START, "y"), beat(50, run="x"))
    assert standing.took_ms == 50
    assert deadline_ms(standing, POLICY) == 130


def test_a_start_alone_does_not_make_it_up() -> None:
    assert play(beat(5, BeatKind.START))[0].state is CheckState.UNKNOWN


def test_paused_it_is_never_overdue_and_awaits_a_first_ping_afterwards() -> None:
    standing, changes = play(
        beat(5), Paused(at_ms=10), Tick(at_ms=9000), beat(9001), Resumed(at_ms=9002), Tick(at_ms=99_000)
    )
    assert states(changes) == ["up", "paused", "unknown"]
    assert deadline_ms(standing, POLICY) is None


def test_a_slow_run_is_degraded() -> None:
    policy = Policy(places=(HEARTBEAT_PLACE,), period_ms=1000, grace_ms=100, degraded_ms=20)
    assert play(beat(0, BeatKind.START), beat(20), policy=policy)[0].state is CheckState.UP
    seen = (beat(0), beat(10, BeatKind.START), beat(50))
    assert play(*seen, policy=policy)[0].state is CheckState.DEGRADED


KINDS = st.sampled_from([BeatKind.SUCCESS, BeatKind.SUCCESS, BeatKind.FAIL, BeatKind.START, BeatKind.LOG])


@settings(deadline=None)
@given(
    st.lists(st.tuples(KINDS, st.integers(0, 900)), max_size=8),
    st.lists(st.integers(-50, 900), min_size=1, max_size=5),
    st.integers(1, 3),
)
def test_the_short_way_of_plain_successes_comes_to_what_deciding_comes_to(
    history: list[tuple[BeatKind, int]], steps_ms: list[int], failures_to_down: int
) -> None:
    policy = Policy(places=(HEARTBEAT_PLACE,), period_ms=1000, grace_ms=100, failures_to_down=failures_to_down)
    at_ms, seen = 1000, list[Observation]()
    for kind, step_ms in history:
        at_ms += step_ms
        seen.append(beat(at_ms, kind, "run" if kind is BeatKind.START else ""))
    before, _ = play(*seen, policy=policy)
    due_ms, beats_ms = deadline_ms(before, policy), list[int]()
    for step_ms in steps_ms:
        at_ms += step_ms
        beats_ms.append(at_ms)
    after = still_well(before, beats_ms)
    if after is None or due_ms is None or max(beats_ms) >= due_ms:
        return
    standing = before
    for each_ms in beats_ms:
        decision = decide(standing, beat(each_ms), policy, max(beats_ms))
        assert decision.transitions == ()
        standing = decision.standing
    assert after == standing


def test_the_short_way_is_taken_for_a_check_that_is_up() -> None:
    assert still_well(play(beat(5))[0], [10, 20]) is not None
    assert still_well(play(beat(5), beat(6, BeatKind.START))[0], [10]) is None
    assert still_well(play(beat(5), beat(6, BeatKind.FAIL))[0], [10]) is None


def test_after_the_clock_was_set_back_a_ping_counts_from_when_it_came() -> None:
    up = decide(Standing(), beat(3_700_000), POLICY, 3_700_000).standing
    again = decide(up, beat(100_000), POLICY, 100_000).standing
    assert deadline_ms(again, POLICY) == 101_100
    quick = still_well(up, [100_000])
    assert quick is not None
    assert deadline_ms(quick, POLICY) == 101_100


def test_a_run_over_which_the_clock_was_set_back_took_no_less_than_nothing() -> None:
    policy = Policy(places=(HEARTBEAT_PLACE,), period_ms=10**6, grace_ms=10**6)
    standing, _ = play(beat(5), beat(500_000, BeatKind.START), policy=policy)
    assert decide(standing, beat(100_000), policy, 100_000).standing.took_ms == 0
