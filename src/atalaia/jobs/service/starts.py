"""Where the search for due jobs begins, on PostgreSQL.

While some old transaction is open, PostgreSQL keeps what was leased and ended, and an index that is read from its beginning passes over
all of it, each time anew: a queue falls to a tenth of its speed within a million jobs. So the hub remembers how far it has come.

1. A search begins, for each lane and rank, behind the last job that it gave.
2. Whatever becomes ready before that point moves it back, after its commit; a search that began earlier then does not move it on.
3. What other hubs make ready is told by the live topic: new jobs move it back by 5 s, older ones to the very beginning.
4. News may get lost: every 30 s a search begins at the beginning.
"""

import time
from collections.abc import Sequence
from typing import NamedTuple

from atalaia.core.ids import new_token

FULL_EVERY_S = 30.0
MARGIN_MS = 5_000
_BEGINNING = (-1, -1)


class Place(NamedTuple):
    """Of a job in the order of its lane."""

    rank: int
    due_ms: int
    seq: int


class _Lane:
    __slots__ = ("full_at_s", "moved_back", "starts")

    def __init__(self) -> None:
        self.starts: dict[int, tuple[int, int]] = {}
        self.full_at_s = 0.0  # monotonic: when to begin at the beginning
        self.moved_back = 0


class Starts:
    """From any thread."""

    def __init__(self) -> None:
        self._lanes: dict[int, _Lane] = {}
        self.hub = new_token(6)  # so that it knows its own news

    def plan(self, lane: int) -> tuple[Sequence[tuple[int, int, int]] | None, int]:
        """Where to begin: (rank, due, seq) for each rank, the first first, or None for the beginning; and a mark for `took`."""
        known = self._lanes.setdefault(lane, _Lane())
        now_s = time.monotonic()
        if now_s >= known.full_at_s:
            known.full_at_s = now_s + FULL_EVERY_S
            return None, known.moved_back
        return [(rank, *known.starts[rank]) for rank in sorted(known.starts)], known.moved_back

    def took(self, lane: int, places: Sequence[Place], mark: int) -> None:
        """A search has given these, in order, and its transaction has committed."""
        known = self._lanes.setdefault(lane, _Lane())
        if known.moved_back != mark:
            return
        for rank, due_ms, seq in places:
            known.starts[rank] = max(known.starts.get(rank, _BEGINNING), (due_ms, seq))

    def became_ready(self, lane: int, place: Place) -> None:
        known = self._lanes.setdefault(lane, _Lane())
        before = (place.due_ms, place.seq - 1)
        if before < known.starts.get(place.rank, (2**63, 0)):
            known.starts[place.rank] = before
            known.moved_back += 1

    def heard(self, lane: int, *, now_ms: int) -> None:
        """Another hub has made new jobs ready."""
        known = self._lanes.setdefault(lane, _Lane())
        known.moved_back += 1
        for rank, start in known.starts.items():
            known.starts[rank] = min(start, (now_ms - MARGIN_MS, 0))

    def forget(self, lane: int) -> None:
        """Another hub has made older jobs ready, or such of another rank."""
        known = self._lanes.setdefault(lane, _Lane())
        known.moved_back += 1
        known.full_at_s = 0.0
