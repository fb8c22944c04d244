"""Who logs in, when, and how long nobody does: one login at a time, and never a storm of them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

import msgspec

Source = Literal["login", "manual"]

RENEW_AHEAD = timedelta(hours=1)
RENEW_SHARE = 0.2
# One login may be several calls; its lease outlives it, so that a result never comes after the next one has begun.
LOGIN_S = 30.0
LEASE_S = 40.0
# A token that is refused so soon after its login was not worn out: logging in again and again would not help.
QUICK = timedelta(seconds=120)
_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 300.0
_FIRST_REFUSAL_S = 300.0
_LONGEST_REFUSAL_S = 3600.0
# One failure may be a hiccup; nobody is woken for it.
FAILURES_TO_TELL = 2


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of one upstream and account. `quick`: logins in a row whose token was refused at once."""

    upstream: str
    account: str
    sealed: bytes | None = None
    length: int | None = None
    generation: int = 0
    expires_at: datetime | None = None
    renewed_at: datetime | None = None
    source: str | None = None
    quick: int = 0
    failures: int = 0
    retry_at: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None
    login_holder: str | None = None
    login_until_at: datetime | None = None


class Next(StrEnum):
    USE = "use"  # there is a good token
    WAIT = "wait"  # somebody is logging in
    PAUSE = "pause"  # after failures: nobody does
    LOG_IN = "log_in"


class Step(msgspec.Struct, frozen=True):
    kind: Next
    wait_s: float = 0.0


def next_step(row: TokenRow, *, rejected: int | None, now: datetime) -> Step:
    """What one who needs a token newer than generation `rejected` has to do."""
    if is_good(row, rejected=rejected, now=now):
        return Step(Next.USE)
    busy_s = _left_s(row.login_until_at, now, longest_s=LEASE_S)
    if row.login_holder is not None and busy_s > 0:
        return Step(Next.WAIT, busy_s)
    pause_s = max(_left_s(row.retry_at, now, longest_s=_LONGEST_REFUSAL_S), _quick_pause_s(row, rejected, now))
    return Step(Next.PAUSE, pause_s) if pause_s > 0 else Step(Next.LOG_IN)


def is_good(row: TokenRow, *, rejected: int | None, now: datetime) -> bool:
    if row.sealed is None or (rejected is not None and row.generation <= rejected):
        return False
    return row.expires_at is None or row.expires_at > now


def quick_after(row: TokenRow, *, rejected: int | None, now: datetime) -> int:
    """What `quick` becomes when this token is replaced now."""
    is_quick = rejected is not None and row.renewed_at is not None and timedelta(0) <= now - row.renewed_at < QUICK
    if not is_quick:
        return 0
    # A login that came to nothing gave no token that could be refused: it is still the same one.
    return row.quick if row.failures else row.quick + 1


def pause_after_failure_s(failures: int, *, is_refused: bool) -> float:
    """Refused (a wrong password) waits much longer: accounts are locked for trying."""
    first_s, longest_s = (_FIRST_REFUSAL_S, _LONGEST_REFUSAL_S) if is_refused else (_FIRST_PAUSE_S, _LONGEST_PAUSE_S)
    return min(longest_s, first_s * 2.0 ** min(failures - 1, 16))


def renew_at(row: TokenRow) -> datetime | None:
    """When it is renewed ahead: an hour before its end, or a fifth of its life where that is less. None: it has no end."""
    if row.expires_at is None or row.renewed_at is None:
        return None
    return row.expires_at - min(RENEW_AHEAD, (row.expires_at - row.renewed_at) * RENEW_SHARE)


def _quick_pause_s(row: TokenRow, rejected: int | None, now: datetime) -> float:
    """The first token that is refused at once is replaced at once; after that the wait doubles."""
    quick = quick_after(row, rejected=rejected, now=now)
    if quick < FAILURES_TO_TELL or row.renewed_at is None:
        return 0.0
    wait = timedelta(seconds=pause_after_failure_s(quick - 1, is_refused=False))
    return max(0.0, (row.renewed_at + wait - now).total_seconds())


def _left_s(until: datetime | None, now: datetime, *, longest_s: float) -> float:
    """More than could have been set means that the clock was put back: then it is over."""
    left_s = (until - now).total_seconds() if until is not None else 0.0
    return left_s if 0 < left_s <= longest_s else 0.0
