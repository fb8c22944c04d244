from __future__ import annotations

from time import monotonic


class Deadline:
    """One limit for all steps of a measurement, by the monotonic clock."""

    __slots__ = ("_timeout_s", "at")

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.at = monotonic() + timeout_s

    def left_s(self) -> float:
        """Always > 0. Raises TimeoutError when nothing is left."""
        left = self.at - monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def passed(self, what: str = "no answer") -> TimeoutError:
        return TimeoutError(f"{what} within {self._timeout_s:g} s")


def elapsed_ms(since: float, until: float | None = None) -> float:
    """Milliseconds between two readings of the monotonic clock, to a microsecond."""
    return round(((monotonic() if until is None else until) - since) * 1_000, 3)
