"""Bodies that begin with a series that nobody knows yet.

To read such a body with care, and to make its series, takes some fifty times as long as the next one of the same sender
will take. So where several of them come at once, as after a start, the others wait until the first has been kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Container
from contextlib import asynccontextmanager

_LOOKED_AT = 4_096


class Newcomers:
    """Used on the event loop alone."""

    def __init__(self, known: Container[bytes]) -> None:
        self._known = known
        self._being_learnt: dict[bytes, asyncio.Event] = {}

    def knows(self, body: bytes) -> bool:
        return first_series(body) in self._known

    @asynccontextmanager
    async def introduced(self, body: bytes) -> AsyncIterator[None]:
        """Around all that is done with a body that is not known."""
        first = first_series(body)
        learnt = self._being_learnt.get(first)
        if learnt is not None:
            await learnt.wait()
            yield
            return
        learnt = self._being_learnt[first] = asyncio.Event()
        try:
            yield
        finally:
            del self._being_learnt[first]
            learnt.set()


def first_series(body: bytes) -> bytes:
    """What the first line that is no comment begins with, as far as it can be told quickly."""
    start = body[:_LOOKED_AT]
    if start.startswith(b"#"):
        start = next((line for line in start.splitlines() if not line.startswith(b"#")), b"")
    fields = start.split(None, 1)
    return fields[0] if fields else b""
