"""The exchange's time, reckoned from this machine's monotonic clock, so that a wall clock that is set changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from atalaia.sdk.failures import BadPayload, PermanentFailure, TemporaryFailure

# Clocks of machines drift by some 50 ms an hour; a machine that slept is found out by −1021.
RENEW_S: Final = 900.0


class Instant(NamedTuple):
    """`reading` names what it was reckoned from, so that those who were refused with it ask for a newer one."""

    ms: int
    reading: int


class ServerClock:
    """`ask` gives the exchange's time in milliseconds; one asks for all who wait."""

    def __init__(self, ask: Callable[[], Awaitable[int]], *, monotonic: Callable[[], float]) -> None:
        self._ask = ask
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._reading = 0
        self._base_ms = 0.0  # the exchange's time at monotonic zero
        self._read_at = 0.0

    async def now(self) -> Instant:
        """Raises: what `ask` raises, where nothing has been read yet."""
        if self._reading == 0:
            await self.renew(0)
        elif self._monotonic() - self._read_at > RENEW_S:
            await self._renew_quietly()
        return Instant(round(self._base_ms + self._monotonic() * 1000), self._reading)

    async def renew(self, reading: int) -> None:
        """Ask, unless somebody has since `reading`."""
        async with self._lock:
            if self._reading > reading:
                return
            began = self._monotonic()
            server_ms = await self._ask()
            ended = self._monotonic()
            # The answer was written somewhere between the two; the middle errs by half the way at most.
            self._base_ms = server_ms - (began + ended) / 2 * 1000
            self._read_at = ended
            self._reading += 1

    async def _renew_quietly(self) -> None:
        """The former reading is good enough while a new one can't be had; −1021 says when it is not."""
        self._read_at = self._monotonic()
        try:
            await self.renew(self._reading)
        except (TemporaryFailure, PermanentFailure, BadPayload):
            return
