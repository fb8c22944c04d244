"""When each probe runs: on a fixed grid by the monotonic clock, so that no run shifts those after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from math import ceil, inf
from random import uniform
from threading import Lock
from time import monotonic

from atalaia_agent.wire import Probe

SIGNAL = "signal"

_START_SPREAD_S = 0.25
_AT_ONCE = ("ping", SIGNAL)

# Probes of one agent start at the same instants, some each other second, since the first after a pause costs nearly twice
# what the next one does. Agents among themselves stay spread, each having its own beat.
BEAT_S = 2.0


def next_due(due: float, interval_s: float, *, now: float) -> tuple[float, int]:
    """The first instant of the grid after `now`, and how many between were missed."""
    missed = max(0, int((now - due) // interval_s))
    return due + (missed + 1) * interval_s, missed


class Entry:
    """A probe in the plan. `seat` is the owner's: what it remembers for this probe."""

    __slots__ = ("due", "interval_s", "is_gone", "is_running", "probe", "seat")

    def __init__(self, probe: Probe, seat: object, *, due: float) -> None:
        self.probe = probe
        self.seat = seat
        self.due = due
        self.interval_s = probe.interval_s
        self.is_running = False
        self.is_gone = False


class Schedule:
    """Whoever takes an entry calls `finished` when it has run. Safe for any number of threads."""

    def __init__(self, make_seat: Callable[[], object]) -> None:
        self._make_seat = make_seat
        self._entries: dict[str, Entry] = {}
        self._heap: list[tuple[float, str, Entry]] = []
        self._lock = Lock()
        self._beat_from = monotonic()
        self.late_total = 0
        self.running = 0

    def replace(self, probes: Iterable[Probe]) -> None:
        """The new plan. What is unchanged in it keeps its grid and its memory."""
        with self._lock:
            wanted = {probe.id: probe for probe in probes}
            for probe_id in [known for known, entry in self._entries.items() if wanted.get(known) != entry.probe]:
                self._entries.pop(probe_id).is_gone = True
            fresh = [probe for probe_id, probe in wanted.items() if probe_id not in self._entries]
            for probe in fresh:
                self._entries[probe.id] = Entry(probe, self._make_seat(), due=self._first_due(probe, len(fresh)))
            self._heap = [(entry.due, probe_id, entry) for probe_id, entry in self._entries.items()]
            heapify(self._heap)

    def next_at(self) -> float:
        with self._lock:
            return self._heap[0][0] if self._heap else inf

    def take_due(self, now: float) -> Entry | None:
        """The one that has been due for longest; those that still run are late, and counted."""
        with self._lock:
            while self._heap and self._heap[0][0] <= now:
                entry = self._take_first(now)
                if entry is not None:
                    return entry
        return None

    def take_once(self, probe: Probe) -> Entry:
        """To be run now, beside the plan ("try it now")."""
        entry = Entry(probe, self._make_seat(), due=0.0)
        entry.is_gone = entry.is_running = True
        with self._lock:
            self.running += 1
        return entry

    def finished(self, entry: Entry) -> None:
        with self._lock:
            entry.is_running = False
            self.running -= 1

    def _first_due(self, probe: Probe, fresh: int) -> float:
        """A single new check shows its first result soon; a whole plan is spread out."""
        now = monotonic()
        if probe.kind in _AT_ONCE:
            return self._beat_from if now - self._beat_from < min(probe.interval_s, BEAT_S) else now
        within_s = _START_SPREAD_S * fresh if probe.interval_s >= BEAT_S else BEAT_S
        due = now + uniform(0.0, min(probe.interval_s, within_s))  # noqa: S311 - to spread load, not to guess
        return due if probe.interval_s < BEAT_S else self._on_beat(due)

    def _on_beat(self, at: float) -> float:
        return self._beat_from + ceil((at - self._beat_from) / BEAT_S) * BEAT_S

    def _take_first(self, now: float) -> Entry | None:
        _, probe_id, entry = heappop(self._heap)
        entry.due, missed = next_due(entry.due, entry.interval_s, now=now)
        self.late_total += missed
        heappush(self._heap, (entry.due, probe_id, entry))
        if entry.is_running:
            self.late_total += 1
            return None
        entry.is_running = True
        self.running += 1
        return entry
