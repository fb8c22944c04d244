"""Stand-ins for what tests must hold in their hand: time."""

from datetime import UTC, datetime, timedelta


class FakeClock:
    """A clock that moves when it is told to."""

    def __init__(self, start: datetime = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def jump(self, seconds: float) -> None:
        """The wall clock is set anew; durations go on."""
        self._now += timedelta(seconds=seconds)


class SlowClock(FakeClock):
    """Everything that is timed by it takes some tenths of a second."""

    def monotonic(self) -> float:
        self._monotonic += 0.2
        return self._monotonic
