"""The last good answers: fresh for a while, then fetched anew by one for all, and shown stale while that fails."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from atalaia.core.clock import Clock
from atalaia.core.redaction import scrub
from atalaia.sdk.failures import AuthExpired, BadPayload, PermanentFailure, TemporaryFailure
from atalaia.sdk.upstreams import Cached

T = TypeVar("T")
MOST_ENTRIES = 500


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    fetched_at: float  # monotonic


class Cache:
    """Of one upstream and account; the least lately used entries go first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._flights: dict[str, asyncio.Task[Any]] = {}

    async def get(self, key: str, fetch: Callable[[], Awaitable[T]], *, fresh_s: float, stale_s: float) -> Cached[T]:
        """Raises what `fetch` raises, where there is nothing good up to `stale_s` old."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
            age_s = self._age_s(entry)
            if age_s < fresh_s:
                return Cached(entry.value, age_s, is_stale=False)
        try:
            value = await self._fetch_once(key, fetch)
        except (TemporaryFailure, AuthExpired, PermanentFailure, BadPayload) as error:
            entry = self._entries.get(key)
            if entry is None or (age_s := self._age_s(entry)) > stale_s:
                raise
            return Cached(entry.value, age_s, is_stale=True, error=scrub(str(error)))
        return Cached(value, 0.0, is_stale=False)

    async def _fetch_once(self, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        """One fetch for all who ask meanwhile; it goes on when the one who began it has gone."""
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fetch(key, fetch))
            flight.add_done_callback(lambda done: self._landed(key, done))
        value: T = await asyncio.shield(flight)
        return value

    async def _fetch(self, key: str, fetch: Callable[[], Awaitable[T]]) -> T:
        value = await fetch()
        self._entries[key] = _Entry(value, self._clock.monotonic())
        self._entries.move_to_end(key)
        while len(self._entries) > MOST_ENTRIES:
            self._entries.popitem(last=False)
        return value

    def _landed(self, key: str, done: "asyncio.Task[Any]") -> None:
        self._flights.pop(key, None)
        if not done.cancelled():
            done.exception()  # seen: nobody may be waiting any more

    def _age_s(self, entry: _Entry) -> float:
        return max(0.0, self._clock.monotonic() - entry.fetched_at)
