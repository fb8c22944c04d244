"""Parts of pages that are made once for all who may see the same: five hundred open pages ask for one within a second.

Who reads it is left out before it is made, so that nothing of one reader can get to another (docs/decisions/0021-shared-parts.md).
"""

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Final

from atalaia.core.permissions import Principal
from atalaia.store.live import Live

# What changes without a word (a setting, "5 min ago") is shown after so long; news of a topic at once.
KEPT_S: Final = 2.0
MOST: Final = 200
SHARED: Final = "shared"


@dataclass(frozen=True, slots=True)
class _Kept:
    told: tuple[int, ...]
    made_at: float
    task: asyncio.Task[str]


class SharedParts:
    """By key, as long as nothing was told of their topics since their making began."""

    def __init__(self, live: Live, *, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._told: defaultdict[str, int] = defaultdict(int)
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        live.subscribe(self._on_live)

    async def html(self, key: Hashable, topics: Sequence[str], make: Callable[[], Awaitable[str]]) -> str:
        """What `make` gave, or is about to give, for this key. Raises: whatever `make` raises, which is not kept."""
        told, now = tuple(self._told[topic] for topic in topics), self._monotonic()
        kept = self._kept.get(key)
        if kept is None or kept.told != told or now - kept.made_at > KEPT_S:
            kept = self._begin(key, told, now, make)
        return await asyncio.shield(kept.task)  # who leaves takes it from nobody else

    def _begin(self, key: Hashable, told: tuple[int, ...], now: float, make: Callable[[], Awaitable[str]]) -> _Kept:
        task = asyncio.ensure_future(_made(make))
        kept = self._kept[key] = _Kept(told, now, task)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        task.add_done_callback(lambda done: self._drop_failed(key, done))
        return kept

    def _drop_failed(self, key: Hashable, task: "asyncio.Task[str]") -> None:
        kept = self._kept.get(key)
        if (task.cancelled() or task.exception() is not None) and kept is not None and kept.task is task:
            del self._kept[key]

    def _on_live(self, topic: str, _id: str) -> None:
        """On any thread; one more is all that matters, also where two are counted as one."""
        self._told[topic] += 1


async def _made(make: Callable[[], Awaitable[str]]) -> str:
    return await make()


def nameless(principal: Principal) -> Principal:
    """Somebody with the same permissions, and nothing else of this one."""
    return Principal(id="", kind=SHARED, name="", permissions=principal.permissions, role=principal.role)
