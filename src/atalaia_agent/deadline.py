from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from atalaia_agent.turns import Turn

T = TypeVar("T")


class Deadline:
    """One limit for all steps of a measurement, by the monotonic clock.

    `turn` is the measuring thread's, if it has it: it goes to another thread before a wait would make others late.
    """

    __slots__ = ("_timeout_s", "_turn", "at")

    def __init__(self, timeout_s: float, turn: Turn | None = None) -> None:
        self._timeout_s = timeout_s
        self._turn = turn
        self.at = monotonic() + timeout_s

    def left_s(self) -> float:
        """Always > 0. Raises TimeoutError when nothing is left."""
        left = self.at - monotonic()
        if left <= 0:
            raise self.passed()
        return left

    def wait(self, ready: Callable[[float], T], what: str) -> T:
        """What `ready` says, which waits for so many milliseconds at most, once it is not empty. Raises TimeoutError."""
        turn = self._turn
        own_until = self.at if turn is None else min(turn.until, self.at)
        # The usual case; the next lines are for an answer that is long in coming.
        found = ready(max(0.0, own_until - monotonic()) * 1_000)
        if not found and turn is not None:
            found = self.watch(ready, self.at)
        if not found:
            raise self.passed(what)
        return found

    def watch(self, ready: Callable[[float], T], until: float) -> T:
        """What `ready` says up to this instant."""
        turn = self._turn
        if turn is not None and turn.until < until:
            found = ready(max(0.0, turn.until - monotonic()) * 1_000)
            if found:
                return found
            turn.pass_on()
            self._turn = None
        return ready(max(0.0, until - monotonic()) * 1_000)

    def passed(self, what: str = "no answer") -> TimeoutError:
        return TimeoutError(f"{what} within {self._timeout_s:g} s")


def elapsed_ms(since: float, until: float | None = None) -> float:
    """Milliseconds between two readings of the monotonic clock, to a microsecond."""
    return round(((monotonic() if until is None else until) - since) * 1_000, 3)
