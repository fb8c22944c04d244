"""When to try again: pure functions of the attempt, the other side's word, and a source of chance."""

import random
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_WAIT_S = 24 * 3600.0

Chance = Callable[[], float]
"""A number from 0 (included) to 1 (not included)."""


def full_jitter_s(attempt: int, *, base_s: float, cap_s: float, chance: Chance = random.random) -> float:
    """The wait after the `attempt`-th failure (from 1): evenly from 0 to base * 2^(attempt - 1), at most `cap_s`.

    Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015
    """
    exponent = min(attempt - 1, 32)
    return chance() * min(cap_s, base_s * float(2**exponent))


def parse_retry_after_s(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait from a Retry-After header: a number of seconds or an HTTP date; None when it says nothing usable.

    Source: RFC 9110, section 10.2.3
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        # A number with thousands of digits is still a number, and int() would refuse it.
        return min(float(text[:12]), _LONGEST_WAIT_S)
    try:
        instant = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # also a year of twenty digits
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    return min(max((instant - now).total_seconds(), 0.0), _LONGEST_WAIT_S)
