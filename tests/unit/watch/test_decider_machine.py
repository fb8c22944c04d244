"""The decider under random observations, against a second and plainer account of what should be."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from atalaia.watch.model.deciding import decide
from atalaia.watch.model.incidents import Cause, Step, steps_for
from atalaia.watch.model.observations import Beat, BeatKind, Observation, Paused, Result, Resumed, Silent, Tick
from atalaia.watch.model.standing import HEARTBEAT_PLACE, Policy, Standing, deadline_ms
from atalaia.watch.model.states import CheckState

_STEP_CAUSE = {Step.OPEN_DOWN: Cause.DOWN, Step.OPEN_DEGRADED: Cause.DEGRADED}
_BAD = {CheckState.DOWN: Cause.DOWN, CheckState.DEGRADED: Cause.DEGRADED}


class _Watched(RuleBasedStateMachine):
    """One check with its incident; every step checks the chain of changes."""

    def __init__(self) -> None:
        super().__init__()
        self.standing = Standing()
        self.policy = Policy()
        self.now_ms = 1_000_000
        self.cause: Cause | None = None

    def see(self, seen: Observation) -> list[CheckState]:
        before = self.standing
        decision = decide(before, seen, self.policy, self.now_ms)
        state, since_ms = before.state, before.since_ms
        for change in decision.transitions:
            assert change.before is state, "a change begins where the last one ended"
            assert change.after is not state, "a change changes something"
            assert since_ms <= change.at_ms <= self.now_ms
            state, since_ms = change.after, change.at_ms
            for step in steps_for(self.cause, change):
                if step in _STEP_CAUSE:
                    assert self.cause is None, "one open incident at most"
                    self.cause = _STEP_CAUSE[step]
                else:
                    assert self.cause is not None
                    self.cause = None
        assert (decision.standing.state, decision.standing.since_ms) == (state, since_ms)
        self.standing = decision.standing
        return [change.after for change in decision.transitions]

    @invariant()
    def an_incident_is_open_exactly_while_something_is_wrong(self) -> None:
        state = self.standing.state
        if state in _BAD:
            assert self.cause is _BAD[state]
        elif state is not CheckState.UNKNOWN:
            assert self.cause is None

    @invariant()
    def paused_is_paused(self) -> None:
        assert (self.standing.state is CheckState.PAUSED) == self.standing.is_paused

    @rule(delta_ms=st.integers(1, 100_000))
    def time_passes(self, delta_ms: int) -> None:
        self.now_ms += delta_ms

    @rule()
    def pause(self) -> None:
        self.see(Paused(at_ms=self.now_ms))

    @rule()
    def resume(self) -> None:
        self.see(Resumed(at_ms=self.now_ms))


class ProbeMachine(_Watched):
    @initialize(
        places=st.integers(1, 4),
        n=st.integers(1, 4),
        extra=st.integers(0, 3),
        k=st.integers(1, 3),
        quorum=st.integers(1, 4) | st.none(),
    )
    def begin(self, places: int, n: int, extra: int, k: int, quorum: int | None) -> None:
        self.policy = Policy(
            places=tuple("abcd"[:places]),
            failures_to_down=n,
            failures_window=n + extra,
            successes_to_up=k,
            quorum=quorum,
            flap_changes=6,
        )

    @rule(
        place=st.sampled_from("abcd"), is_ok=st.booleans(), is_degraded=st.booleans(), skew_ms=st.integers(-5000, 5000)
    )
    def a_result(self, place: str, is_ok: bool, is_degraded: bool, skew_ms: int) -> None:
        self.now_ms += 1
        seen = Result(place=place, at_ms=self.now_ms + skew_ms, is_ok=is_ok, is_degraded=is_degraded)
        last = self.standing.places.get(place)
        changed = self.see(seen)
        if last is not None and min(seen.at_ms, self.now_ms) <= last.at_ms:
            assert changed == []
        if is_ok and not (last and last.mute):
            assert CheckState.DOWN not in changed, "a success brings nothing down"

    @rule(place=st.sampled_from("abcd"))
    def a_failure_of_the_own_line(self, place: str) -> None:
        self.now_ms += 1
        voting = [name for name in self.policy.places if not (p := self.standing.places.get(name)) or not p.mute]
        changed = self.see(Result(place=place, at_ms=self.now_ms, is_ok=False, is_line_down=True))
        if voting in ([], [place]):
            assert set(changed) <= {CheckState.UNKNOWN}

    @rule()
    def all_agents_fall_silent(self) -> None:
        self.now_ms += 1
        for place in self.policy.places:
            self.see(Silent(place=place, at_ms=self.now_ms))
        assert self.standing.state in {CheckState.UNKNOWN, CheckState.PAUSED}

    @precondition(lambda self: not self.standing.is_paused)
    @rule()
    def all_agents_see_it_well_for_long(self) -> None:
        for _ in range(15):
            self.now_ms += 1
            for place in self.policy.places:
                self.see(Result(place=place, at_ms=self.now_ms, is_ok=True))
        assert self.standing.state is CheckState.UP

    @precondition(lambda self: not self.standing.is_paused)
    @rule()
    def all_agents_see_it_fail_as_often_as_set(self) -> None:
        for _ in range(self.policy.failures_to_down):
            self.now_ms += 1
            for place in self.policy.places:
                self.see(Result(place=place, at_ms=self.now_ms, is_ok=False))
        assert self.standing.state is CheckState.DOWN


class HeartbeatMachine(_Watched):
    """The plain account: the last ping decides, unless last + period + grace is over."""

    def __init__(self) -> None:
        super().__init__()
        self.policy = Policy(places=(HEARTBEAT_PLACE,), period_ms=30_000, grace_ms=5_000)
        self.last: tuple[int, bool] | None = None

    @rule(is_ok=st.booleans())
    def a_ping(self, is_ok: bool) -> None:
        self.now_ms += 1
        self.see(Beat(at_ms=self.now_ms, kind=BeatKind.SUCCESS if is_ok else BeatKind.FAIL))
        if not self.standing.is_paused:
            self.last = (self.now_ms, is_ok)

    @rule()
    def a_log(self) -> None:
        before = self.standing
        self.see(Beat(at_ms=self.now_ms, kind=BeatKind.LOG))
        assert self.standing == before

    @rule()
    def the_hub_looks(self) -> None:
        due_ms = deadline_ms(self.standing, self.policy)
        changed = self.see(Tick(at_ms=self.now_ms))
        assert (changed == [CheckState.DOWN]) == (due_ms is not None and self.now_ms >= due_ms)
        if self.standing.is_paused:
            return
        if self.last is None:
            assert self.standing.state is CheckState.UNKNOWN
        else:
            at_ms, is_ok = self.last
            is_due = self.now_ms >= at_ms + 35_000
            assert self.standing.state is (CheckState.UP if is_ok and not is_due else CheckState.DOWN)

    @rule()
    def pause(self) -> None:
        super().pause()
        self.last = None


TestProbes = ProbeMachine.TestCase
TestHeartbeats = HeartbeatMachine.TestCase
for _case in (TestProbes, TestHeartbeats):
    _case.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
