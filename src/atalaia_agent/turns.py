"""Which thread does what is due. One has the turn: it waits for the next instant and does what is due then, by itself.

A thread that wakes finds its code and data out of the processor's caches; to wake a second one for each run would double
the cost of an agent that mostly waits. So the thread with the turn measures itself, and gives the turn to another one only
when it would have to wait while something else is due.

    1. The thread with the turn takes what is due, one after another: a report that is due, then probes.
    2. Where a measurement has to wait for an answer, it waits until 50 ms after the next thing is due (`Turn.until`); of several
       that are due at once each may take so long, until one has been waiting for a quarter of a second.
    3. Then it passes the turn on (`Turn.pass_on`): a thread of the pool goes on with 1, this one ends with its measurement.
    4. News from other threads (a new plan, an urgent result) is a `nudge`: it wakes the thread that waits, or, when
       that one measures, takes the turn from it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Protocol

from atalaia_agent.bell import Bell
from atalaia_agent.schedule import Entry, Schedule

# How late a run may start for want of a thread. Most answers are there sooner.
PATIENCE_S = 0.05
_MOST_LATE_S = 0.25


class Report(Protocol):
    due_at: float
    """By the monotonic clock; other threads may set it, and nudge."""
    slack_s: float
    """It may come so much later, together with the next run."""


class Turn:
    """The right to do what is due next. One thread has it."""

    __slots__ = ("_turns", "has_begun", "until")

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self.has_begun = False
        self.until = 0.0
        """How long its thread may wait before it has to pass it on, by the monotonic clock."""

    @property
    def is_held(self) -> bool:
        return self._turns.current is self

    def pass_on(self) -> None:
        self._turns.pass_on(self)


class Turns:
    """`measure` and `send` may take their time, but must not raise; `spawn` runs a function in another thread."""

    def __init__(
        self,
        schedule: Schedule,
        report: Report,
        *,
        measure: Callable[[Entry, Turn], None],
        send: Callable[[Turn], None],
        spawn: Callable[[Callable[[], None]], None],
    ) -> None:
        self._schedule = schedule
        self._report = report
        self._measure = measure
        self._send = send
        self._spawn = spawn
        self._lock = Lock()
        self._bell = Bell()
        self._is_waiting = False
        self._is_stopped = False
        self.current = Turn(self)

    def begin(self) -> None:
        self._spawn(lambda: self._lead(self.current))

    def stop(self) -> None:
        """May be called from a signal's handler."""
        self._is_stopped = True
        self._bell.ring()

    def nudge(self) -> None:
        """Something is due earlier than the thread with the turn knows."""
        with self._lock:
            turn = self.current
            if self._is_waiting:
                self._bell.ring()
                return
        if turn.has_begun:
            self.pass_on(turn)

    def pass_on(self, turn: Turn) -> None:
        with self._lock:
            if turn is not self.current or self._is_stopped:
                return
            self.current = following = Turn(self)
        self._spawn(lambda: self._lead(following))

    def _lead(self, turn: Turn) -> None:
        turn.has_begun = True
        is_warm = False
        while turn is self.current and not self._is_stopped:
            is_warm = self._do_next(turn, is_warm=is_warm)
            if not is_warm:
                self._wait(turn)

    def _do_next(self, turn: Turn, *, is_warm: bool) -> bool:
        """Whether there was something. Warm is a thread that has just worked."""
        now = monotonic()
        report_at = self._report.due_at + self._report.slack_s
        entry = self._schedule.take_due(now) if report_at > now else None
        next_at = self._schedule.next_at()
        if entry is not None:
            turn.until = _patient_until(min(next_at, report_at), now)
            self._measure(entry, turn)
        elif report_at <= now or (is_warm and self._report.due_at <= now):
            turn.until = _patient_until(next_at, now)
            self._send(turn)
        else:
            return False
        return True

    def _wait(self, turn: Turn) -> None:
        with self._lock:
            if turn is not self.current:
                return
            # What comes from here on rings the bell.
            self._is_waiting = True
        wait_s = min(self._schedule.next_at(), self._report.due_at + self._report.slack_s) - monotonic()
        if wait_s > 0:
            self._bell.wait(wait_s)
        self._is_waiting = False


def _patient_until(next_at: float, now: float) -> float:
    return min(max(next_at, now), next_at + _MOST_LATE_S) + PATIENCE_S
