"""The circuit breaker: when to leave an upstream alone. Pure: a state, what happened, and the time give the next state.

closed --5 failures in a row, or half of at least 10 calls in 60 s--> open --after its pause--> trial (one call)
trial --it went well--> closed;  trial --it failed--> open, for twice as long.
"""

from typing import Literal

import msgspec
from msgspec.structs import replace

from atalaia.sdk.upstreams import CallOutcome

Phase = Literal["closed", "open", "trial"]
# As people see it: half open, once nothing holds the next call back and it is the one that decides.
ShownPhase = Literal["closed", "open", "half_open", "trial"]

# (state, what happens, then); docs/states.md shows them, tests/unit/outbound/test_breaker.py holds the functions against them.
BREAKER_RULES = (
    ("closed", "5 failures in a row", "open"),
    ("closed", "half of at least 10 calls within 60 s failed, and this one", "open"),
    ("closed", "any other result", "closed"),
    ("open", "a call, before the pause is over", "open"),
    ("open", "a call, after the pause", "trial"),
    ("open", "a result of a call that began before", "open"),
    ("trial", "another call", "trial"),
    ("trial", "it went well, or was answered by a 4xx", "closed"),
    ("trial", "it failed", "open"),
    ("trial", "it could not be made", "open"),
    ("trial", "no result within 60 s, and a call", "trial"),
)

FAILURES_IN_A_ROW = 5
MIN_CALLS = 10
WINDOW_S = 60.0
FIRST_PAUSE_S = 30.0
LONGEST_PAUSE_S = 300.0
# A trial whose result never comes (its process died) gives its place to another.
TRIAL_S = 60.0
_SLOT_MS = 5000
_SLOTS = int(WINDOW_S * 1000 / _SLOT_MS)

# An answer is an answer: "no" and "who are you" show that the other side is there.
FAILURES: frozenset[CallOutcome] = frozenset({"temporary", "bad_payload"})
NO_VERDICT: frozenset[CallOutcome] = frozenset({"refused"})


class BreakerState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Times are milliseconds since the epoch. `window`: (slot, calls, failures) of the last minute, oldest first."""

    phase: Phase = "closed"
    in_row: int = 0
    window: tuple[tuple[int, int, int], ...] = ()
    pauses: int = 0  # in a row: what the next one is doubled by
    since_ms: int = 0
    until_ms: int = 0  # open: the next trial; trial: when its place is given to another


CLOSED = BreakerState()


def wait_s(state: BreakerState, *, now_ms: int) -> float:
    """How long a call has to wait; 0 when it may go, or try to get the trial."""
    if state.phase == "closed" or now_ms >= state.until_ms or now_ms < state.since_ms:
        return 0.0  # a clock that was set back must not keep it open for longer
    return (state.until_ms - now_ms) / 1000


def shown_phase(state: BreakerState, *, now_ms: int) -> ShownPhase:
    """A pause ends, and a trial lapses, without anything being written."""
    if state.phase != "closed" and wait_s(state, now_ms=now_ms) == 0:
        return "half_open"
    return state.phase


def claim_trial(state: BreakerState, *, now_ms: int) -> BreakerState | None:
    """The state with the one trial taken, or None: it is not the time, or another has it."""
    if state.phase == "closed" or wait_s(state, now_ms=now_ms) > 0:
        return None
    return replace(state, phase="trial", since_ms=now_ms, until_ms=now_ms + int(TRIAL_S * 1000))


def after_call(
    state: BreakerState, outcome: CallOutcome, *, now_ms: int, longest_pause_s: float = LONGEST_PAUSE_S
) -> BreakerState:
    """What a call's outcome makes of it.

    Late results of calls that began before it opened change nothing while it is open; during a trial the first decides.
    """
    if outcome in NO_VERDICT:
        # A trial that could not be made gives its place back at once.
        return replace(state, phase="open", until_ms=now_ms) if state.phase == "trial" else state
    is_failure = outcome in FAILURES
    if state.phase == "open":
        return state
    if state.phase == "trial":
        if is_failure:
            return _opened(state, now_ms=now_ms, longest_pause_s=longest_pause_s)
        return BreakerState(since_ms=now_ms)
    counted = _counted(state, is_failure=is_failure, now_ms=now_ms)
    return _opened(counted, now_ms=now_ms, longest_pause_s=longest_pause_s) if _is_too_much(counted) else counted


def pause_s(pauses: int, *, longest_s: float = LONGEST_PAUSE_S) -> float:
    """The `pauses`-th in a row (from 1)."""
    doubled = FIRST_PAUSE_S * 2.0 ** min(pauses - 1, 16)
    return min(doubled, LONGEST_PAUSE_S, longest_s)


def longest_pause_of(polling_interval_s: float | None) -> float:
    """A polled upstream is asked again no later than its next turn."""
    return LONGEST_PAUSE_S if polling_interval_s is None else min(LONGEST_PAUSE_S, polling_interval_s)


def _opened(state: BreakerState, *, now_ms: int, longest_pause_s: float) -> BreakerState:
    pauses = state.pauses + 1
    until_ms = now_ms + int(pause_s(pauses, longest_s=longest_pause_s) * 1000)
    return BreakerState(phase="open", pauses=pauses, since_ms=now_ms, until_ms=until_ms)


def _counted(state: BreakerState, *, is_failure: bool, now_ms: int) -> BreakerState:
    slot = now_ms // _SLOT_MS
    kept = tuple(each for each in state.window if slot - _SLOTS < each[0] < slot)
    calls, failures = next(((c, f) for s, c, f in state.window if s == slot), (0, 0))
    window = (*kept, (slot, calls + 1, failures + is_failure))
    return replace(state, in_row=state.in_row + 1 if is_failure else 0, window=window)


def _is_too_much(state: BreakerState) -> bool:
    if state.in_row >= FAILURES_IN_A_ROW:
        return True
    if not state.in_row:  # only a failure opens it
        return False
    calls = sum(calls for _, calls, _ in state.window)
    return calls >= MIN_CALLS and 2 * sum(failures for _, _, failures in state.window) >= calls
