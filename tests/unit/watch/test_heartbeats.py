"""Heartbeats: overdue exactly at last + period + grace."""

from atalaia.watch.model.deciding import decide
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
