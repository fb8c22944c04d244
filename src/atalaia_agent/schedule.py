"""When each probe runs: on a fixed grid by the monotonic clock, so that no run shifts those after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush
from random import uniform
from threading import Condition
from time import monotonic

from atalaia_agent.wire import Probe

_START_WITHIN_S = 2.0
_START_SPREAD_S = 0.25


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


class Scheduler:
    """`start` begins a run and returns at once; whoever ran it calls `finished`."""

    def __init__(self, start: Callable[[Entry], None], make_seat: Callable[[], object]) -> None:
        self._start = start
        self._make_seat = make_seat
        self._entries: dict[str, Entry] = {}
        self._heap: list[tuple[float, str, Entry]] = []
        self._changed = Condition()
        self._is_stopped = False
        self.late_total = 0
        self.running = 0

    def replace(self, probes: Iterable[Probe]) -> None:
        """The new plan. What is unchanged in it keeps its grid and its memory."""
        with self._changed:
            wanted = {probe.id: probe for probe in probes}
            for probe_id in [known for known, entry in self._entries.items() if wanted.get(known) != entry.probe]:
                self._entries.pop(probe_id).is_gone = True
            fresh = [probe for probe_id, probe in wanted.items() if probe_id not in self._entries]
            for probe in fresh:
                self._entries[probe.id] = Entry(probe, self._make_seat(), due=self._first_due(probe, len(fresh)))
            self._heap = [(entry.due, probe_id, entry) for probe_id, entry in self._entries.items()]
            heapify(self._heap)
            self._changed.notify_all()

    def run_until_stopped(self) -> None:
        with self._changed:
            while not self._is_stopped:
                now = monotonic()
                if self._heap and self._heap[0][0] <= now:
                    self._step(now)
                else:
                    self._changed.wait(self._heap[0][0] - now if self._heap else None)

    def run_once(self, probe: Probe) -> None:
        """Now, beside the plan ("try it now")."""
        entry = Entry(probe, self._make_seat(), due=0.0)
        entry.is_gone = entry.is_running = True
        with self._changed:
            self.running += 1
        self._start(entry)

    def finished(self, entry: Entry) -> None:
        with self._changed:
            entry.is_running = False
            self.running -= 1

    def stop(self) -> None:
        """May be called by a signal's handler: the condition's lock is re-entrant."""
        self._is_stopped = True
        with self._changed:
            self._changed.notify_all()

    def _first_due(self, probe: Probe, fresh: int) -> float:
        """A single new check shows its first result soon; a whole plan is spread out."""
        if probe.kind == "ping":
            return monotonic()
        spread_s = min(probe.interval_s, _START_WITHIN_S + _START_SPREAD_S * fresh)
        return monotonic() + uniform(0.0, spread_s)  # noqa: S311 - to spread load, not to guess

    def _step(self, now: float) -> None:
        _, probe_id, entry = heappop(self._heap)
        if entry.is_gone:
            return
        entry.due, missed = next_due(entry.due, entry.interval_s, now=now)
        self.late_total += missed
        heappush(self._heap, (entry.due, probe_id, entry))
        if entry.is_running:
            self.late_total += 1
            return
        entry.is_running = True
        self.running += 1
        self._start(entry)
