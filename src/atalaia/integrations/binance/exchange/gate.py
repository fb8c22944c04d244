"""Until when nothing may go out from this address."""

from datetime import datetime, timedelta
from typing import Final

from atalaia.core.clock import Clock

_SLACK_S: Final = 1.0  # both clocks are never read at the very same moment


class MemoryGate:
    """See port.Gate; of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: datetime | None = None
        self._ends_s = 0.0  # monotonic: a wall clock that is put back makes no ban longer
        self._is_ban = False

    def blocked_until(self) -> datetime | None:
        if self._until is None:
            return None
        now, left_s = self._clock.now(), self._ends_s - self._clock.monotonic()
        if left_s <= 0 or self._until <= now:
            self._until, self._is_ban = None, False
        elif (self._until - now).total_seconds() > left_s + _SLACK_S:
            self._until = now + timedelta(seconds=left_s)
        return self._until

    def block(self, until: datetime, *, is_ban: bool = False) -> None:
        held = self.blocked_until()
        if until <= self._clock.now():
            return
        self._until = until if held is None else max(held, until)
        self._ends_s = self._clock.monotonic() + (self._until - self._clock.now()).total_seconds()
        self._is_ban = self._is_ban or is_ban

    @property
    def is_ban(self) -> bool:
        return self.blocked_until() is not None and self._is_ban
