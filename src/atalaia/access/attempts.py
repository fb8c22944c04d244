"""How often a sign-in may be tried: a growing wait, which ends by itself.

Three counters, each with its own patience. Somebody who guesses from one address soon waits minutes. What is guessed
from many addresses together slows an account down by a minute at most, and not at all for a browser that has signed
in to it before (a device cookie): so no stranger can keep a person out.
Source: OWASP "Slow Down Online Guessing Attacks with Device Cookies"
"""

from datetime import datetime, timedelta
from enum import StrEnum

import msgspec


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """`free` failures cost nothing; then the wait doubles from `first_wait_s` up to `longest_wait_s`."""

    free: int
    first_wait_s: float
    longest_wait_s: float
    forgets_after_s: float


class Counter(StrEnum):
    ADDRESS = "address"  # one client address, whatever account
    PAIR = "pair"  # one client address (or known device) and one account
    ACCOUNT = "account"  # one account, from everywhere
    CODE = "code"  # second factor of one account, password known
    RESET = "reset"  # asked for a reset link


PATIENCE: dict[Counter, Patience] = {
    Counter.ADDRESS: Patience(free=20, first_wait_s=2, longest_wait_s=900, forgets_after_s=3600),
    Counter.PAIR: Patience(free=4, first_wait_s=2, longest_wait_s=900, forgets_after_s=3600),
    Counter.ACCOUNT: Patience(free=20, first_wait_s=2, longest_wait_s=60, forgets_after_s=3600),
    Counter.CODE: Patience(free=4, first_wait_s=5, longest_wait_s=900, forgets_after_s=86400),
    Counter.RESET: Patience(free=3, first_wait_s=60, longest_wait_s=3600, forgets_after_s=86400),
}


_DIFFER_S = 10.0


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Failures that one counter remembers, the last of them at `last_at`."""

    failures: int
    last_at: datetime


def wait_s(counter: Counter, tally: Tally | None, *, now: datetime) -> float:
    """Seconds until the next try is allowed; 0 when it is now."""
    if tally is None or is_forgotten(counter, tally, now=now):
        return 0
    patience = PATIENCE[counter]
    excess = tally.failures - patience.free
    if excess < 0:
        return 0
    # 2**20 is past every limit; the bound keeps the number a number.
    wait = min(patience.longest_wait_s, patience.first_wait_s * float(2 ** min(excess, 20)))
    remaining = (tally.last_at + timedelta(seconds=wait) - now).total_seconds()
    # A clock that was set back must not keep anybody waiting for what it was set back by; those of hubs differ by less than that.
    return 0.0 if remaining > 2 * wait + _DIFFER_S else min(wait, max(0.0, remaining))


def with_failure(counter: Counter, tally: Tally | None, *, now: datetime) -> Tally:
    if tally is None or is_forgotten(counter, tally, now=now):
        return Tally(failures=1, last_at=now)
    return Tally(failures=tally.failures + 1, last_at=now)


def is_forgotten(counter: Counter, tally: Tally, *, now: datetime) -> bool:
    return now - tally.last_at >= timedelta(seconds=PATIENCE[counter].forgets_after_s)
