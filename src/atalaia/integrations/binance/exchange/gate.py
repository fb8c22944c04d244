"""Until when nothing may go out from this address."""

from datetime import datetime

from atalaia.core.clock import Clock


class MemoryGate:
    """See port.Gate; of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: datetime | None = None
        self._is_ban = False

    def blocked_until(self) -> datetime | None:
        if self._until is not None and self._until <= self._clock.now():
            self._until, self._is_ban = None, False
        return self._until

    def block(self, until: datetime, *, is_ban: bool = False) -> None:
        held = self.blocked_until()
        if until <= self._clock.now():
            return
        self._until = until if held is None else max(held, until)
        self._is_ban = self._is_ban or is_ban

    @property
    def is_ban(self) -> bool:
        return self.blocked_until() is not None and self._is_ban
