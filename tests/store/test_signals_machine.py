"""Runs of a signal against a model of them: hubs start, end, write late, die and come back; the signal is dropped and made anew."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from atalaia.core.ids import new_id
from atalaia.sdk.signals import RunLost
from atalaia.signals.model.locks import Held, Throttled
from atalaia.signals.model.runs import Ending, Outcome
from atalaia.signals.model.signals import SignalIn
from atalaia.signals.service.running import ActiveRun
from atalaia.signals.service.starting import Unknown, Wish
from atalaia.signals.service.tasks import Started
from atalaia.store.opening import open_store
from tests.conftest import SOURCE
from tests.fakes import FakeClock
from tests.store.signals_site import OPERATOR, SLICES, Site
from tests.tables import copy_tables

LEASE_S, MIN_INTERVAL_S = 30.0, 5.0
NAME = "watch"


class Signals(RuleBasedStateMachine):
    """No hub's loop runs: what begins is driven by the rules alone."""

    begun = Bundle("begun")

    @initialize()
    def open(self) -> None:
        self._folder = TemporaryDirectory()
        self.clock = FakeClock()
        copy_tables(Path(self._folder.name), [SOURCE / name / "migrations" for name in SLICES])
        self.store = open_store(Path(self._folder.name), database_url=None)
        self.hubs = [Site(self.store, self.clock) for _ in range(2)]
        self.in_force: Started | None = None
        self.until = self.started_at = float("-inf")
        self.is_there = False
        self.fence = 0
        self.fates: dict[str, str] = {}
        self.make()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self._folder.cleanup()

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    @rule()
    def make(self) -> None:
        wanted = SignalIn(name=NAME, task="test.look", min_interval_s=MIN_INTERVAL_S)
        book = self.hubs[0].signals._book
        self.store.write_now(lambda tx: book.put(tx, wanted, OPERATOR, now=self.clock.now(), may_exist=True))
        self.is_there = True

    @rule()
    def drop(self) -> None:
        if self.is_there:
            self.store.write_now(lambda tx: self.hubs[0].signals._book.drop(tx, NAME, OPERATOR, now=self.clock.now()))
            if self.in_force is not None:
                self.fates[self.in_force.run_id] = "dropped"
            self.is_there, self.in_force = False, None

    @rule(seconds=st.sampled_from([0.5, 2.0, 5.0, 12.0, 31.0]))
    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(target=begun, hub=st.integers(0, 1), count=st.integers(1, 3))
    def send(self, hub: int, count: int) -> object:
        wishes = [Wish(NAME, new_id(), "") for _ in range(count)]
        replies = self.store.write_now(lambda tx: self.hubs[hub].signals.starting.start_many(tx, wishes))
        expected = self._expected()
        assert type(replies[0]) is expected
        after = {Started: Held, Held: Held, Throttled: Throttled, Unknown: Unknown}[expected]
        assert {type(reply) for reply in replies[1:]} <= {after}
        if not isinstance(replies[0], Started):
            return multiple()
        self._take(replies[0])
        return replies[0]

    @rule(run=begun, is_well=st.booleans())
    def end(self, run: Started, is_well: bool) -> None:
        ending = Ending(Outcome.SUCCEEDED if is_well else Outcome.FAILED)
        is_ours = self.store.write_now(lambda tx: self.hubs[0].signals.ends._end(tx, run, ending))
        assert is_ours == (run == self.in_force)
        if is_ours:
            self.fates[run.run_id] = str(ending.outcome)
            self.in_force = None

    @rule(run=begun)
    def write(self, run: Started) -> None:
        active = self._active(run)
        if run == self.in_force and self.now < self.until:
            assert self.store.write_now(lambda tx: active._fenced(tx, lambda _tx: 7)) == 7
        else:
            with pytest.raises(RunLost):
                self.store.write_now(lambda tx: active._fenced(tx, lambda _tx: 7))

    @rule(run=begun)
    def renew(self, run: Started) -> None:
        active = self._active(run)
        assert self.store.write_now(active._renew) == (run == self.in_force)
        if run == self.in_force:
            self.until = self.now + LEASE_S

    @rule()
    def reap(self) -> None:
        self.store.write_now(self.hubs[1].signals.ends._reap)
        if self.in_force is not None and self.now >= self.until:
            self.fates[self.in_force.run_id] = "lost"
            self.in_force = None

    @invariant()
    def every_end_is_on_record_once(self) -> None:
        if not hasattr(self, "store"):
            return
        rows = self.store.read_now(lambda tx: tx.raw("SELECT id, outcome FROM signal_runs ORDER BY id"))
        kept = {run: fate for run, fate in self.fates.items() if fate != "dropped"}
        assert [tuple(row) for row in rows] == sorted(kept.items())

    def _active(self, run: Started) -> ActiveRun:
        return ActiveRun(run, self.store, now_ms=self.hubs[0].signals._now_ms, lease_s=LEASE_S)

    def _expected(self) -> type:
        if not self.is_there:
            return Unknown
        if self.in_force is not None and self.now < self.until:
            return Held
        return Throttled if self.now < self.started_at + MIN_INTERVAL_S else Started

    def _take(self, started: Started) -> None:
        assert started.fence > self.fence
        if self.in_force is not None:
            self.fates[self.in_force.run_id] = "lost"
        self.in_force, self.fence = started, started.fence
        self.started_at, self.until = self.now, self.now + LEASE_S


TestSignals = Signals.TestCase
TestSignals.settings = settings(max_examples=15, stateful_step_count=40, deadline=None)
