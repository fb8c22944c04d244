"""A signal comes in: refused from memory where that is beyond doubt, else asked of the store.

Beyond doubt, and for a second at most after the store was asked:
1. a run of this very hub is under way, and its lease is surely in force: nobody else can run;
2. a start is so young that the throttle holds, whoever else was asked meanwhile.
A run never begins but in the store.
"""

from atalaia.core.clock import Clock
from atalaia.core.errors import Overloaded
from atalaia.core.ids import new_id
from atalaia.core.translations import N_
from atalaia.signals.model.locks import Held, Throttled
from atalaia.signals.service.running import Running
from atalaia.signals.service.starting import Reply, Starting, Unknown, Wish
from atalaia.signals.service.tasks import Started

GOOD_FOR_S = 1.0
MOST_REMEMBERED = 10_000


class _Remembered:
    __slots__ = ("free_at", "good_until")

    def __init__(self, good_until: float, free_at: float) -> None:
        self.good_until = good_until
        self.free_at = free_at  # the throttle's end, not later than it really is


class Sending:
    def __init__(self, starting: Starting, running: Running, *, clock: Clock) -> None:
        self._starting = starting
        self._running = running
        self._clock = clock
        self._remembered: dict[str, _Remembered] = {}

    async def send(self, signal: str, source: str) -> Reply:
        """Answered after the commit. Raises Overloaded (the hub is stopping), and as Store.merge."""
        if self._running.is_closing:
            raise Overloaded(N_("the hub is stopping"), retry_after_s=1)
        asked = self._clock.monotonic()
        known = self._remembered.get(signal)
        if known is not None and asked < known.good_until:
            if self._running.is_running(signal):
                return Held()
            if asked < known.free_at and not self._running.is_ending(signal):
                return Throttled(round((known.free_at - asked) * 1000))
        reply = await self._starting.start(Wish(signal, new_id(), source))
        self._remember(signal, reply, asked)
        return reply

    def forget(self, signal: str) -> None:
        """It was changed, or dropped."""
        self._remembered.pop(signal, None)

    def _remember(self, signal: str, reply: Reply, asked: float) -> None:
        if isinstance(reply, Unknown):
            self._remembered.pop(signal, None)
            return
        free_at = asked
        if isinstance(reply, Throttled):
            free_at = asked + reply.left_ms / 1000
        elif isinstance(reply, Started):
            free_at = asked + reply.min_interval_ms / 1000
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[signal] = _Remembered(asked + GOOD_FOR_S, free_at)
