"""What one place that measures a check says: n of m failures to down, k successes to up."""

import msgspec

from atalaia.watch.model.states import PLACE_RULES, Outcome, PlaceRule, Verdict, When

WINDOW_MAX = 32


class Place(msgspec.Struct, frozen=True, array_like=True):
    """One place's memory of a check.

    `failed` and `slow` are bit sets of the last results, the newest in bit 0; `unfailed` and `clean` count in a row the
    results that did not fail, and those that were good; `mute` says why it has no vote: "" (it has one), "silent" (its
    agent is) or "line" (its own line is down).
    """

    verdict: Verdict = Verdict.NEW
    failed: int = 0
    slow: int = 0
    unfailed: int = 0
    clean: int = 0
    at_ms: int = 0
    mute: str = ""


class Limits(msgspec.Struct, frozen=True):
    """n (`failures`) of m (`window`) to down, k (`successes`) to up."""

    failures: int = 1
    window: int = 1
    successes: int = 1


# Runs longer than any limit need no exact count; so a steady place stays equal to itself.
RUN_MAX = 100

_BY_CASE: dict[tuple[Verdict, Outcome], tuple[PlaceRule, ...]] = {
    (verdict, outcome): tuple(rule for rule in PLACE_RULES if (rule.verdict, rule.outcome) == (verdict, outcome))
    for verdict in Verdict
    for outcome in Outcome
}


def take_outcome(place: Place, outcome: Outcome, *, at_ms: int, limits: Limits) -> Place:
    """The place after one more result. Coming back up empties the windows, so that old failures don't count twice."""
    mask = (1 << limits.window) - 1
    failed = (place.failed << 1 | (outcome is Outcome.FAILED)) & mask
    slow = (place.slow << 1 | (outcome is Outcome.SLOW)) & mask
    unfailed = 0 if outcome is Outcome.FAILED else min(place.unfailed + 1, RUN_MAX)
    clean = min(place.clean + 1, RUN_MAX) if outcome is Outcome.GOOD else 0
    verdict = place.verdict
    rules = _BY_CASE[verdict, outcome]
    if rules:  # not so for the most frequent case, good while up
        held = {
            When.ALWAYS: True,
            When.FAILURES: failed.bit_count() >= limits.failures,
            When.SLOW: (failed | slow).bit_count() >= limits.failures,
            When.RECOVERED: unfailed >= limits.successes,
            When.CLEAN: clean >= limits.successes,
        }
        verdict = next((rule.then for rule in rules if held[rule.when]), verdict)
    if verdict is Verdict.UP and place.verdict in {Verdict.DOWN, Verdict.DEGRADED}:
        failed = slow = 0
    return Place(verdict, failed, slow, unfailed, clean, at_ms, "")
