"""Bodies that come at once go to the store together.

A commit costs as much as the parsing of two bodies, whatever is in it. So a body that has been read waits for those that
are being read at the same time: until no more come, until there are enough, or for some milliseconds. A sender that is
alone waits for nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST_S = 0.010
ENOUGH = 32
# What the sockets hold is read in one turn of the loop, and handed to its handler in the next.
_QUIET_TURNS = 2


class Gathering:
    """Used on the event loop alone: `expected` around the reading of a body, then `together`."""

    def __init__(self) -> None:
        self._expected = 0
        self._waiting = 0
        self._turns = 0
        self._group = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._is_looking = False

    @contextmanager
    def expected(self) -> Iterator[None]:
        """While a body is being read."""
        self._expected += 1
        try:
            yield
        finally:
            self._expected -= 1
            if self._waiting and not self._expected:
                self._look_soon()

    async def together(self) -> None:
        """Come back when the group goes."""
        loop = asyncio.get_running_loop()
        self._waiting += 1
        if self._waiting >= ENOUGH:
            self._go()
            return
        if self._timer is None:
            self._timer = loop.call_later(LONGEST_S, self._go)
        if not self._expected:
            self._look_soon()
        await self._group.wait()

    def _look_soon(self) -> None:
        self._turns = 0
        if not self._is_looking:
            self._is_looking = True
            asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        self._is_looking = False
        if self._expected or not self._waiting:
            return
        self._turns += 1
        if self._turns < _QUIET_TURNS:
            self._is_looking = True
            asyncio.get_running_loop().call_soon(self._look)
        else:
            self._go()

    def _go(self) -> None:
        group, self._group = self._group, asyncio.Event()
        self._waiting = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group.set()
