"""An agent that only signals: no hub, no spool, and nothing loaded that these would need."""

from __future__ import annotations

from math import inf

from atalaia_agent.bell import Bell
from atalaia_agent.pool import Pool
from atalaia_agent.schedule import Entry, Schedule
from atalaia_agent.signal_settings import SignalSettings
from atalaia_agent.signaller import Signaller
from atalaia_agent.turns import Turn, Turns
from atalaia_agent.voice import Voice


class _NoReport:
    due_at = inf
    slack_s = 0.0


class SignalOnly:
    def __init__(self, settings: SignalSettings, voice: Voice) -> None:
        self._voice = voice
        self._signaller = Signaller(settings, voice)
        self._schedule = Schedule(object)
        self._pool = Pool("signal", max_threads=4)
        self._ended = Bell()
        self._turns = Turns(
            self._schedule,
            _NoReport(),
            measure=self._run,
            send=lambda _turn: None,
            spawn=lambda work: self._pool.submit(work, first=True),
        )

    def run(self) -> None:
        """Until `stop`."""
        self._signaller.begin()
        self._schedule.replace(self._signaller.chores)
        self._turns.begin()
        while not self._ended.wait():
            pass
        self._turns.stop()
        self._signaller.end()

    def stop(self) -> None:
        """May be called from a signal's handler."""
        self._ended.ring()

    def _run(self, entry: Entry, turn: Turn) -> None:
        try:
            self._signaller.run(entry, turn)
        except Exception as failure:  # noqa: BLE001 - the boundary of a signal: the next one must come
            self._voice.trouble("internal", f"internal error: {type(failure).__name__}: {failure}")
        finally:
            self._schedule.finished(entry)
