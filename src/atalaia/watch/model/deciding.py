"""The decider: what a check's state is, from what was seen. Pure; the tables are in `states`.

Source: docs/decisions/0006-deciding.md
"""

from collections.abc import Sequence

from msgspec.structs import replace

from atalaia.watch.model.observations import (
    Beat,
    BeatKind,
    Moved,
    Observation,
    Paused,
    Rejudged,
    Result,
    Resumed,
    Silent,
    Tick,
)
from atalaia.watch.model.places import RUN_MAX, Place, take_outcome
from atalaia.watch.model.standing import (
    AHEAD_MS,
    HEARTBEAT_PLACE,
    Decision,
    Policy,
    Standing,
    Transition,
    deadline_ms,
    later_ms,
)
from atalaia.watch.model.states import CHECK_RULES, SETTLED, CheckState, Outcome, Verdict, Vote

_FLIPS_KEPT = 20
_STARTS_KEPT = 20
OVERDUE = "overdue"
SILENT = "agent_silent"
LINE_DOWN = "line_down"
SLOW = "slow"
FAILED = "failed"


def decide(  # noqa: PLR0911 - one return for each kind of observation
    standing: Standing, seen: Observation, policy: Policy, now_ms: int
) -> Decision:
    """The standing after one observation, and the changes of state that it made, in order.

    `now_ms` is the hub's clock: nothing is taken to have happened later than now.
    """
    match seen:
        case Result():
            return _take_result(standing, seen, policy, now_ms)
        case Beat():
            return _take_beat(standing, seen, policy, now_ms)
        case Tick():
            return _take_tick(standing, policy, min(seen.at_ms, now_ms))
        case Silent():
            return _take_silence(standing, seen, policy)
        case Moved():
            return _move(standing, seen, policy)
        case Paused():
            return _pause(standing, policy, at_ms=seen.at_ms, is_paused=True)
        case Resumed():
            return _pause(standing, policy, at_ms=seen.at_ms, is_paused=False)
        case Rejudged():
            places = {name: place for name, place in standing.places.items() if name in policy.places}
            return _settle(standing, replace(standing, places=places), policy, at_ms=seen.at_ms)


def still_well(standing: Standing, beats_ms: Sequence[int]) -> Standing | None:
    """What `decide` makes of plain successes of a heartbeat, one after the other, where nothing but times can change.

    None: something else may; `decide` has to look. The caller has made sure that none of them comes after the deadline.
    """
    place = standing.places.get(HEARTBEAT_PLACE)
    if standing.state is not CheckState.UP or standing.starts_ms or len(standing.places) != 1 or place is None:
        return None
    if place.verdict is not Verdict.UP or place.failed or place.slow or place.mute:
        return None
    seen_ms, last_ms = place.at_ms, standing.last_ms
    for at_ms in beats_ms:
        seen_ms, last_ms = max(at_ms, seen_ms + 1), later_ms(last_ms, at_ms)
    after = Place(
        Verdict.UP,
        unfailed=min(place.unfailed + len(beats_ms), RUN_MAX),
        clean=min(place.clean + len(beats_ms), RUN_MAX),
        at_ms=seen_ms,
    )
    return Standing(
        state=CheckState.UP,
        since_ms=standing.since_ms,
        settled=standing.settled,
        places={HEARTBEAT_PLACE: after},
        flips_ms=standing.flips_ms,
        last_ms=last_ms,
    )


def outcome_of(seen: Result, policy: Policy) -> Outcome:
    if not seen.is_ok:
        return Outcome.FAILED
    is_slow = policy.degraded_ms is not None and seen.took_ms is not None and seen.took_ms > policy.degraded_ms
    return Outcome.SLOW if is_slow or seen.is_degraded else Outcome.GOOD


def reason_of(seen: Result, policy: Policy) -> str | None:
    """Why a result is not good; None where it is."""
    match outcome_of(seen, policy):
        case Outcome.GOOD:
            return None
        case Outcome.FAILED:
            return seen.reason or FAILED
        case Outcome.SLOW:
            is_told = seen.reason is not None or seen.is_degraded
            return seen.reason if is_told else f"{SLOW}: {seen.took_ms:.0f} ms > {policy.degraded_ms:g} ms"


def _take_result(standing: Standing, seen: Result, policy: Policy, now_ms: int) -> Decision:
    at_ms = min(seen.at_ms, now_ms)
    place = standing.places.get(seen.place, Place())
    if standing.is_paused or seen.place not in policy.places or _is_past(place, at_ms, now_ms):
        return Decision(standing)
    if seen.is_line_down and not seen.is_ok:
        # The fault is the place's own; it says nothing about the target.
        after = replace(place, at_ms=at_ms, mute="line")
        reason: str | None = LINE_DOWN
    else:
        limits = policy.limits(flips=standing.flips(at_ms))
        after = take_outcome(place, outcome_of(seen, policy), at_ms=at_ms, limits=limits)
        reason = reason_of(seen, policy)
    return _settle(standing, _with_place(standing, seen.place, after), policy, at_ms=at_ms, reason=reason)


def _is_past(place: Place, at_ms: int, now_ms: int) -> bool:
    """Whether the place was decided on later than that already, and not before the clock was set back."""
    return at_ms <= place.at_ms <= now_ms + AHEAD_MS


def _take_silence(standing: Standing, seen: Silent, policy: Policy) -> Decision:
    if standing.is_paused or seen.place not in policy.places:
        return Decision(standing)
    place = standing.places.get(seen.place, Place())
    if place.mute == "silent" or _is_past(place, seen.at_ms + 1, seen.at_ms):
        return Decision(standing)
    # What was measured before this and arrives later is history: it is kept, and changes nothing.
    after = _with_place(standing, seen.place, replace(place, mute="silent", at_ms=seen.at_ms))
    return _settle(standing, after, policy, at_ms=seen.at_ms, reason=SILENT)


def _move(standing: Standing, seen: Moved, policy: Policy) -> Decision:
    place = standing.places.get(seen.old_place, Place())
    places = {key: value for key, value in standing.places.items() if key in policy.places}
    places[seen.place] = replace(place, mute="silent", at_ms=0)
    return _settle(standing, replace(standing, places=places), policy, at_ms=seen.at_ms, reason=SILENT)


def _take_tick(standing: Standing, policy: Policy, at_ms: int) -> Decision:
    """Nothing, or overdue: the change is dated at the deadline itself, however late the tick."""
    due_ms = deadline_ms(standing, policy)
    if not policy.period_ms or standing.is_paused or due_ms is None or at_ms < due_ms:
        return Decision(standing)
    place = standing.places.get(HEARTBEAT_PLACE, Place())
    down = replace(place, verdict=Verdict.DOWN, failed=1, unfailed=0, clean=0)
    after = replace(_with_place(standing, HEARTBEAT_PLACE, down), starts_ms={})
    return _settle(standing, after, policy, at_ms=due_ms, reason=OVERDUE)


def _take_beat(standing: Standing, seen: Beat, policy: Policy, now_ms: int) -> Decision:
    at_ms = min(seen.at_ms, now_ms)
    if standing.is_paused or seen.kind is BeatKind.LOG:
        return Decision(standing)
    overdue = _take_tick(standing, policy, at_ms)
    before = overdue.standing
    if seen.kind is BeatKind.START:
        starts = dict(list(before.starts_ms.items())[-_STARTS_KEPT + 1 :]) | {seen.run: at_ms}
        return Decision(replace(before, starts_ms=starts), overdue.transitions)
    ended = _end_run(before, seen, at_ms)
    result = Result(
        place=HEARTBEAT_PLACE,
        at_ms=max(at_ms, before.places.get(HEARTBEAT_PLACE, Place()).at_ms + 1),
        is_ok=seen.kind is BeatKind.SUCCESS,
        took_ms=ended.took_ms,
        reason=seen.reason,
    )
    taken = _take_result(ended, result, policy, result.at_ms)
    return Decision(taken.standing, overdue.transitions + taken.transitions)


def _end_run(standing: Standing, seen: Beat, at_ms: int) -> Standing:
    began_ms = standing.starts_ms.get(seen.run)
    starts = {run: start for run, start in standing.starts_ms.items() if run != seen.run}
    took_ms = None if began_ms is None else max(0, at_ms - began_ms)
    return replace(standing, starts_ms=starts, took_ms=took_ms, last_ms=later_ms(standing.last_ms, at_ms))


def _pause(standing: Standing, policy: Policy, *, at_ms: int, is_paused: bool) -> Decision:
    """Pausing and resuming forget what was measured: after it, the check is decided afresh."""
    if is_paused == standing.is_paused:
        return Decision(standing)
    after = Standing(state=standing.state, since_ms=standing.since_ms, is_paused=is_paused)
    return _settle(standing, after, policy, at_ms=at_ms)


def _with_place(standing: Standing, name: str, place: Place) -> Standing:
    return replace(standing, places=standing.places | {name: place})


def state_of(standing: Standing, policy: Policy) -> CheckState:
    """The check table: the places' verdicts come together; a place that can't speak counts for nothing."""
    places = [standing.places.get(name, Place()) for name in policy.places]
    verdicts = [place.verdict for place in places if not place.mute]
    quorum = min(policy.quorum or len(verdicts) // 2 + 1, len(verdicts))
    downs = verdicts.count(Verdict.DOWN)
    slow = verdicts.count(Verdict.DEGRADED)
    held = {
        Vote.PAUSED: standing.is_paused,
        Vote.MAINTENANCE: False,
        Vote.NOBODY: not verdicts,
        Vote.DOWN: downs >= quorum,
        Vote.DEGRADED: downs + slow >= quorum,
        Vote.SOMEBODY: Verdict.UP in verdicts or Verdict.DEGRADED in verdicts,
        Vote.UNDECIDED: True,
    }
    return next(rule.state for rule in CHECK_RULES if held[rule.when])


def _settle(before: Standing, after: Standing, policy: Policy, *, at_ms: int, reason: str | None = None) -> Decision:
    state = state_of(after, policy)
    if state is before.state:
        return Decision(after)
    at_ms = max(at_ms, before.since_ms)
    flips = after.flips_ms
    settled = after.settled
    if state in SETTLED:
        if settled is not None and (state is CheckState.DOWN) != (settled is CheckState.DOWN):
            flips = (*flips, at_ms)[-_FLIPS_KEPT:]
        settled = state
    change = Transition(at_ms=at_ms, before=before.state, after=state, was_settled=before.settled, reason=reason)
    return Decision(replace(after, state=state, since_ms=at_ms, settled=settled, flips_ms=flips), (change,))
