"""The part of the overview that is the same for all who read one language in one zone, made once for them all.

1. What is younger than GOOD_FOR_S is given as it is.
2. From half of that age on, who asks has it made anew in the background, so that nobody waits while people look.
3. What has changed (a live topic) is given to nobody: those who ask wait for one reading, together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from atalaia.core.clock import Clock
from atalaia.core.translations import Locale
from atalaia.home.overview import Shown
from atalaia.store.live import Live

GOOD_FOR_S = 1.0
# Of so many kinds of readers the part is kept; whoever comes after them waits for their own.
MAX_KEPT = 32
TOPICS = frozenset({"checks", "incidents", "agents"})


class Look(NamedTuple):
    """All that a reader's part depends on, besides what is shown."""

    locale: Locale
    timezone: str
    wall: bool


Render = Callable[[Shown, Look], str]


@dataclass(slots=True)
class _Kept:
    shown: Shown
    began_s: float  # monotonic, before it was read
    changes: int
    html: dict[Look, str]
    asked: set[Look] = field(default_factory=set)


class OverviewParts:
    def __init__(self, read: Callable[[], Awaitable[Shown]], *, clock: Clock, live: Live) -> None:
        self._read = read
        self._clock = clock
        self._kept: _Kept | None = None
        self._making: asyncio.Task[_Kept] | None = None
        self._changes = 0
        live.subscribe(self._on_live)

    async def html(self, look: Look, render: Render) -> str:
        kept = self._good()
        if kept is None:
            kept = await self._awaited(look, render)
        elif self._clock.monotonic() - kept.began_s > GOOD_FOR_S / 2 and self._making is None:
            self._make({*kept.asked, look}, render)
        kept.asked.add(look)
        found = kept.html.get(look)
        if found is None:
            found = await asyncio.to_thread(render, kept.shown, look)
            if len(kept.html) < MAX_KEPT:
                kept.html[look] = found
        return found

    def _good(self) -> _Kept | None:
        kept = self._kept
        if kept is None or kept.changes != self._changes:
            return None
        return kept if self._clock.monotonic() - kept.began_s < GOOD_FOR_S else None

    async def _awaited(self, look: Look, render: Render) -> _Kept:
        """What is read from now on; what was being read before is good too, as long as nothing has changed since."""
        asked_s = self._clock.monotonic()
        while True:
            making = self._making or self._make({look}, render)
            kept = await asyncio.shield(making)
            if kept.began_s >= asked_s or kept.changes == self._changes:
                return kept

    def _make(self, looks: Collection[Look], render: Render) -> "asyncio.Task[_Kept]":
        self._making = asyncio.get_running_loop().create_task(self._made(looks, render))
        self._making.add_done_callback(self._take)
        return self._making

    async def _made(self, looks: Collection[Look], render: Render) -> _Kept:
        began_s, changes = self._clock.monotonic(), self._changes
        shown = await self._read()
        html = await asyncio.to_thread(lambda: {look: render(shown, look) for look in looks})
        return _Kept(shown, began_s, changes, html)

    def _take(self, task: "asyncio.Task[_Kept]") -> None:
        self._making = None
        if not task.cancelled() and task.exception() is None:  # what went wrong is told to those who wait for it
            self._kept = task.result()

    def _on_live(self, topic: str, _id: str) -> None:
        if topic in TOPICS:
            self._changes += 1
