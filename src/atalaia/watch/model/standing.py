"""How a check stands: everything that the next decision needs, and nothing else."""

import math

import msgspec

from atalaia.watch.model.places import RUN_MAX, Limits, Place
from atalaia.watch.model.states import CheckState

HEARTBEAT_PLACE = "ping"
FLAP_WINDOW_MS = 15 * 60 * 1000
# While a check flaps, it takes this many times the usual successes to be believed, and this many at least; each fall more
# doubles these, up to so many as there are in FLAP_QUIET_S.
FLAP_FACTOR = 3
FLAP_SUCCESSES_MIN = 5
FLAP_QUIET_S = 300.0
# What is further ahead of now than the clocks of two hubs differ was written before the clock was set back.
AHEAD_MS = 10_000
_NOT_AWAITED = frozenset({CheckState.DOWN, CheckState.PAUSED})


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A check's own rules.

    `places` are the agents that measure it, by id; `quorum` how many of them must say down (none: the majority of
    those that can speak); `flap_changes` changes into or out of down within 15 minutes make it flapping (0: never), and
    at most `flap_successes` are then asked for; a heartbeat has `period_ms` and `grace_ms`.
    """

    places: tuple[str, ...] = ()
    failures_to_down: int = 1
    failures_window: int = 1
    successes_to_up: int = 1
    degraded_ms: float | None = None
    quorum: int | None = None
    flap_changes: int = 0
    flap_successes: int = FLAP_SUCCESSES_MIN
    period_ms: int = 0
    grace_ms: int = 0

    def limits(self, *, flips: int) -> Limits:
        """`flips`: how many there were lately."""
        successes = self.successes_to_up
        if self.flap_changes and flips >= self.flap_changes:
            asked = FLAP_SUCCESSES_MIN << (flips - self.flap_changes) // 2
            successes = max(FLAP_FACTOR * successes, min(asked, self.flap_successes))
        return Limits(self.failures_to_down, max(self.failures_to_down, self.failures_window), successes)


class Standing(msgspec.Struct, frozen=True, kw_only=True, array_like=True, omit_defaults=True):
    """`settled` is the last of up, degraded, down: what unknown hides.

    `flips_ms` are the latest changes into or out of down; `starts_ms` are runs of a heartbeat that have begun and not
    ended; `last_ms` is its last success or failure, `took_ms` how long the last run took.
    """

    state: CheckState = CheckState.UNKNOWN
    since_ms: int = 0
    settled: CheckState | None = None
    is_paused: bool = False
    places: dict[str, Place] = {}
    flips_ms: tuple[int, ...] = ()
    last_ms: int | None = None
    starts_ms: dict[str, int] = {}
    took_ms: int | None = None

    def flips(self, at_ms: int) -> int:
        """Of FLAP_WINDOW_MS. While it is down they don't grow old: time alone proves nothing, and it would flap anew."""
        if not self.flips_ms:
            return 0
        until_ms = self.flips_ms[-1] if self.settled is CheckState.DOWN else at_ms
        return sum(until_ms - flip < FLAP_WINDOW_MS for flip in self.flips_ms)


def flap_successes(interval_s: float) -> int:
    """How many results of a check in a row are FLAP_QUIET_S, and few enough to be counted."""
    return min(RUN_MAX, max(FLAP_SUCCESSES_MIN, math.ceil(FLAP_QUIET_S / interval_s)))


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A change of state. `was_settled` is what the check last really was; None: it had never been decided."""

    at_ms: int
    before: CheckState
    after: CheckState
    was_settled: CheckState | None
    reason: str | None = None


class Decision(msgspec.Struct, frozen=True):
    standing: Standing
    transitions: tuple[Transition, ...] = ()


def later_ms(last_ms: int | None, at_ms: int) -> int:
    """The later of the two, unless the last one was before the clock was set back: it is not to be waited for."""
    return at_ms if last_ms is None or last_ms > at_ms + AHEAD_MS else max(last_ms, at_ms)


def deadline_ms(standing: Standing, policy: Policy) -> int | None:
    """When a heartbeat is overdue: at last + period + grace, or start + grace of a run that hasn't ended, if earlier.

    None: nothing is awaited (no ping yet, already down, paused).
    """
    if standing.state in _NOT_AWAITED:
        return None
    due_ms = None if standing.last_ms is None else standing.last_ms + policy.period_ms + policy.grace_ms
    if not standing.starts_ms:
        return due_ms
    run_due_ms = min(standing.starts_ms.values()) + policy.grace_ms
    return run_due_ms if due_ms is None else min(due_ms, run_due_ms)
