"""Durations that go on while the machine sleeps: a lease does too."""

import time


def now_s() -> float:
    """Seconds since the machine was started, suspended ones included where the system counts them (Linux)."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
