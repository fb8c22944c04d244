"""How many repeats an upstream is given: a share of its calls, so that repeats never make an outage worse."""

from collections import deque

from atalaia.core.clock import Clock

WINDOW_S = 60
SHARE = 0.2
LEAST = 10


class RetryBudget:
    """Of the last minute: repeats up to 20 % of the calls, and never less than 10."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seconds: deque[list[int]] = deque()  # [second, calls, repeats]
        self._calls = 0
        self._repeats = 0

    def note_call(self) -> None:
        self._second()[1] += 1
        self._calls += 1

    def take(self) -> bool:
        """Whether one more repeat may go out; then it is counted."""
        second = self._second()
        if self._repeats >= max(LEAST, int(SHARE * self._calls)):
            return False
        second[2] += 1
        self._repeats += 1
        return True

    def _second(self) -> list[int]:
        now = int(self._clock.monotonic())
        while self._seconds and self._seconds[0][0] <= now - WINDOW_S:
            _, calls, repeats = self._seconds.popleft()
            self._calls -= calls
            self._repeats -= repeats
        if not self._seconds or self._seconds[-1][0] != now:
            self._seconds.append([now, 0, 0])
        return self._seconds[-1]
