"""Whether a run may begin: the lock first, then the throttle. Pure; docs/states.md shows the same."""

from typing import NamedTuple


class Lock(NamedTuple):
    """One signal's; instants in ms of the one clock that decides."""

    fence: int = 0
    started_ms: int = 0  # of the last run, whatever came of it
    lease_until_ms: int = 0
    failures: int = 0
    run_id: str | None = None
    source: str | None = None


class Free(NamedTuple):
    """A run may begin. `is_lost`: the lock names a run whose lease has ended, which is to be put on record as lost."""

    is_lost: bool = False


class Held(NamedTuple):
    """Somebody runs."""


class Throttled(NamedTuple):
    left_ms: int


Verdict = Free | Held | Throttled


def judge(lock: Lock, *, now_ms: int, min_interval_ms: int) -> Verdict:
    if lock.run_id is not None and now_ms < lock.lease_until_ms:
        return Held()
    left_ms = lock.started_ms + min_interval_ms - now_ms
    # A start that lies in the future was measured by a clock that has been set back since: it says nothing.
    if 0 < left_ms <= min_interval_ms:
        return Throttled(left_ms)
    return Free(is_lost=lock.run_id is not None)


def is_lapsed(lock: Lock, *, now_ms: int) -> bool:
    """A run's process is gone, or was cut off: its lease has ended and nobody said so."""
    return lock.run_id is not None and lock.lease_until_ms <= now_ms
