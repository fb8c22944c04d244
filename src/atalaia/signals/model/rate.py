"""How many of the signals that should have been answered were: by the minute, over a quarter of an hour. Pure."""

import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

WINDOW_MINUTES: Final = 15
LONGEST_MINUTES: Final = 24 * 60  # for senders that seldom send
DEGRADED_UNDER: Final = 0.95
FAILING_UNDER: Final = 0.90
# Fewer say nothing: one that is lost would be 5 % and more.
LEAST: Final = 20
MINUTE_MS: Final = 60_000


class Level(StrEnum):
    WELL = "well"
    DEGRADED = "degraded"
    FAILING = "failing"
    UNKNOWN = "unknown"  # nothing is expected, or too little to say


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """Answers within a minute (since the epoch)."""

    minute: int
    started: int = 0
    skipped: int = 0
    throttled: int = 0
    refused: int = 0
    invalid: int = 0
    failed: int = 0

    @property
    def answered(self) -> int:
        return self.started + self.skipped + self.throttled


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """`expected` signals in the window, of which `answered` were answered 202, 200 or 429; `ratio` 0..1, None: too few to say."""

    answered: int
    expected: int
    ratio: float | None
    level: Level


def rate_of(minutes: Sequence[Minute], *, now_ms: int, since_ms: int, expect_every_s: float | None) -> Rate:
    """Over the whole minutes before this one, and not before `since_ms` (its first signal, or when it was resumed).

    What is expected: a signal every `expect_every_s`, where that is known, so that one which never arrived counts too; else
    what came in, refused and failed ones with it. Several senders are no more than enough.
    """
    last = now_ms // MINUTE_MS
    first = max(last - window_minutes(expect_every_s), -(-since_ms // MINUTE_MS))
    counted = [each for each in minutes if first <= each.minute < last]
    answered = sum(each.answered for each in counted)
    if expect_every_s is not None:
        expected = int(max(0, last - first) * 60 / expect_every_s)
        answered = min(answered, expected)
    else:
        expected = answered + sum(each.refused + each.invalid + each.failed for each in counted)
    ratio = answered / expected if expected >= LEAST else None
    return Rate(answered=answered, expected=expected, ratio=ratio, level=_level(ratio))


def window_minutes(expect_every_s: float | None) -> int:
    """Long enough for as many signals as it takes to say anything."""
    return min(LONGEST_MINUTES, max(WINDOW_MINUTES, math.ceil(LEAST * (expect_every_s or 0) / 60)))


def next_level(former: Level, now: Rate) -> Level:
    """A failing signal has to come back to what is well, so that one at the limit is not told again and again."""
    if now.level is Level.UNKNOWN or (former is Level.FAILING and now.level is Level.DEGRADED):
        return former
    return now.level


def _level(ratio: float | None) -> Level:
    if ratio is None:
        return Level.UNKNOWN
    if ratio < FAILING_UNDER:
        return Level.FAILING
    return Level.DEGRADED if ratio < DEGRADED_UNDER else Level.WELL
