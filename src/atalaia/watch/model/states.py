"""The states of a check and of the places that measure it, as tables.

Source: docs/states.md shows the same tables; a test compares them.
"""

from enum import StrEnum
from typing import NamedTuple


class CheckState(StrEnum):
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    PAUSED = "paused"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What one place says by itself."""

    NEW = "new"
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


class Outcome(StrEnum):
    """One result, as the check's limits see it."""

    GOOD = "good"
    SLOW = "slow"
    FAILED = "failed"


class When(StrEnum):
    """Conditions of the place table; n of m, k and the windows are the check's own settings."""

    ALWAYS = "always"
    FAILURES = "n of the last m failed"
    SLOW = "n of the last m failed or were slow"
    RECOVERED = "k in a row did not fail"
    CLEAN = "k in a row were good"


class PlaceRule(NamedTuple):
    verdict: Verdict
    outcome: Outcome
    when: When
    then: Verdict


_V, _O, _W = Verdict, Outcome, When

# The first rule that fits is taken; where none fits, the verdict stays.
PLACE_RULES: tuple[PlaceRule, ...] = (
    PlaceRule(_V.NEW, _O.GOOD, _W.ALWAYS, _V.UP),
    PlaceRule(_V.NEW, _O.SLOW, _W.SLOW, _V.DEGRADED),
    PlaceRule(_V.NEW, _O.SLOW, _W.ALWAYS, _V.UP),
    PlaceRule(_V.NEW, _O.FAILED, _W.FAILURES, _V.DOWN),
    PlaceRule(_V.UP, _O.SLOW, _W.SLOW, _V.DEGRADED),
    PlaceRule(_V.UP, _O.FAILED, _W.FAILURES, _V.DOWN),
    PlaceRule(_V.DEGRADED, _O.GOOD, _W.CLEAN, _V.UP),
    PlaceRule(_V.DEGRADED, _O.FAILED, _W.FAILURES, _V.DOWN),
    PlaceRule(_V.DOWN, _O.GOOD, _W.RECOVERED, _V.UP),
    PlaceRule(_V.DOWN, _O.SLOW, _W.RECOVERED, _V.DEGRADED),
)


class Vote(StrEnum):
    """Conditions of the check table; a place that is silent, or whose own line is down, has no vote."""

    PAUSED = "it is paused"
    MAINTENANCE = "it is in maintenance"
    NOBODY = "no place can speak"
    DOWN = "as many places as the quorum say down"
    DEGRADED = "as many places as the quorum say down or degraded"
    SOMEBODY = "some place says up or degraded"
    UNDECIDED = "otherwise"


class CheckRule(NamedTuple):
    when: Vote
    state: CheckState


# The first rule that fits is taken.
CHECK_RULES: tuple[CheckRule, ...] = (
    CheckRule(Vote.PAUSED, CheckState.PAUSED),
    CheckRule(Vote.MAINTENANCE, CheckState.MAINTENANCE),
    CheckRule(Vote.NOBODY, CheckState.UNKNOWN),
    CheckRule(Vote.DOWN, CheckState.DOWN),
    CheckRule(Vote.DEGRADED, CheckState.DEGRADED),
    CheckRule(Vote.SOMEBODY, CheckState.UP),
    CheckRule(Vote.UNDECIDED, CheckState.UNKNOWN),
)

# Worst first: the order of every list of checks.
WORST_FIRST: tuple[CheckState, ...] = (
    CheckState.DOWN,
    CheckState.DEGRADED,
    CheckState.UNKNOWN,
    CheckState.UP,
    CheckState.MAINTENANCE,
    CheckState.PAUSED,
)
SETTLED = frozenset({CheckState.UP, CheckState.DEGRADED, CheckState.DOWN})
