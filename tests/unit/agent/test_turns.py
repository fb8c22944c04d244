"""When probes run, and in which thread."""

import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import inf
from time import monotonic
from typing import Any

import pytest

from atalaia_agent.deadline import Deadline
from atalaia_agent.schedule import BEAT_S, Entry, Schedule, next_due
from atalaia_agent.turns import PATIENCE_S, Turn, Turns
from atalaia_agent.wire import Probe
from tests.servers import wait_until
from tests.stillness import Stillness
from tests.stopwatch import Stopwatch


def probe(probe_id: str = "p", *, interval_s: float = 0.2, target: str = "t", kind: str = "http") -> Probe:
    return Probe(probe_id, kind, target, interval_s, 1.0, {}, {}, {})


@pytest.mark.parametrize(
    ("now", "due", "missed"), [(10.0, 40.0, 0), (12.5, 40.0, 0), (39.9, 40.0, 0), (40.0, 70.0, 1), (105.0, 130.0, 3)]
)
def test_the_next_run_is_on_the_grid_whatever_was_missed(now: float, due: float, missed: int) -> None:
    assert next_due(10.0, 30.0, now=now) == (due, missed)


def test_a_new_plan_leaves_what_is_unchanged_in_its_place() -> None:
    schedule = Schedule(object)
    schedule.replace([probe("a", interval_s=500), probe("b", interval_s=500)])
    before = dict(schedule._entries)
    schedule.replace([probe("a", interval_s=500), probe("b", interval_s=500, target="new"), probe("c")])
    after = schedule._entries
    assert after["a"] is before["a"]
    assert after["b"] is not before["b"]
    assert before["b"].is_gone
    assert set(after) == {"a", "b", "c"}


def test_probes_start_on_a_beat_that_they_share_with_the_ping() -> None:
    schedule = Schedule(object)
    schedule.replace([probe("ping", kind="ping", interval_s=2), *(probe(str(n), interval_s=30) for n in range(50))])
    dues = {probe_id: entry.due for probe_id, entry in schedule._entries.items()}
    ping = dues.pop("ping")
    beats = [(due - ping) / BEAT_S for due in dues.values()]
    assert ping <= monotonic()
    assert all(abs(beat - round(beat)) < 1e-6 for beat in beats)
    assert 5 <= len({round(beat) for beat in beats}) <= 15
    assert all(0 < beat <= 15 for beat in beats)


def test_a_run_that_is_still_going_on_is_late_and_not_started_twice() -> None:
    schedule = Schedule(object)
    schedule.replace([probe(kind="ping", interval_s=10)])
    now = monotonic()
    entry = schedule.take_due(now)
    assert entry is not None
    assert schedule.take_due(now) is None
    assert schedule.take_due(now + 10) is None
    assert (schedule.running, schedule.late_total) == (1, 1)
    schedule.finished(entry)
    assert schedule.take_due(now + 41) is entry
    assert schedule.late_total == 1 + 2


class FakeReport:
    due_at = inf
    slack_s = 0.0


class World:
    """Threads that take turns; `work` is what a measurement does."""

    def __init__(self) -> None:
        self.schedule = Schedule(object)
        self.report = FakeReport()
        self.runs: list[tuple[str, float, int]] = []
        self.sent: list[float] = []
        self.threads: list[threading.Thread] = []
        self.work: Callable[[Entry, Turn], None] = lambda _entry, _turn: None
        self.turns = Turns(self.schedule, self.report, measure=self._measure, send=self._send, spawn=self._spawn)

    def _measure(self, entry: Entry, turn: Turn) -> None:
        self.runs.append((entry.probe.id, monotonic(), threading.get_ident()))
        self.work(entry, turn)
        self.schedule.finished(entry)

    def _send(self, _: Turn) -> None:
        self.report.due_at = inf
        self.sent.append(monotonic())

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        self.threads.append(thread)

    def of(self, probe_id: str) -> list[float]:
        return [at for name, at, _ in self.runs if name == probe_id]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.turns.stop()
    for thread in made.threads:
        thread.join(60)
        assert not thread.is_alive()


def until(condition: Any, what: str) -> None:
    wait_until(lambda: bool(condition()), what=what, timeout_s=60)


def test_runs_keep_to_a_grid_without_drift(world: World) -> None:
    dues: list[float] = []
    world.work = lambda entry, _turn: dues.append(entry.due)
    world.schedule.replace([probe(interval_s=0.05)])
    world.turns.begin()
    until(lambda: len(world.runs) >= 10, "ten runs")
    beats = [(due - dues[0]) / 0.05 for due in dues]
    assert all(abs(beat - round(beat)) < 1e-6 for beat in beats)
    # What is noted is when it is due next; it has begun after the instant before that.
    assert all(at > due - 0.05 - 1e-6 for at, due in zip(world.of("p"), dues, strict=False))
    assert all(later > earlier for earlier, later in pairwise(world.of("p")))


def test_quick_probes_are_all_made_by_one_thread(world: World) -> None:
    world.schedule.replace([probe(str(n)) for n in range(20)])
    world.turns.begin()
    until(lambda: len(world.runs) >= 60, "three rounds")
    assert len({thread for _, _, thread in world.runs}) == 1


def test_a_probe_that_waits_gives_its_turn_to_another_thread(world: World) -> None:
    """Its answer is long in coming; what is due meanwhile is hardly late, and it runs once at a time."""
    answer = threading.Event()

    def work(entry: Entry, turn: Turn) -> None:
        if entry.probe.id == "slow":
            Deadline(20, turn).wait(lambda most_ms: answer.wait(most_ms / 1_000), "no answer")

    world.work = work
    world.schedule.replace([probe("slow", interval_s=0.1), *(probe(f"quick-{n}") for n in range(5))])
    world.turns.begin()
    watch = Stopwatch()
    with Stillness() as still:
        until(lambda: len(world.of("quick-4")) >= 8, "the quick ones")
    assert len(world.of("slow")) == 1
    gaps = [later - earlier for earlier, later in pairwise(world.of("quick-4"))]
    assert max(gaps) < 0.2 + PATIENCE_S + 0.25 + max(watch.late_s, still.longest_s)
    assert world.schedule.late_total > 0
    answer.set()
    until(lambda: len(world.of("slow")) >= 2, "the slow one's next run")
    assert len(world.threads) <= 3


def test_a_probe_that_is_alone_keeps_its_turn(world: World) -> None:
    answer = threading.Event()

    def work(_: Entry, turn: Turn) -> None:
        Deadline(20, turn).wait(lambda most_ms: answer.wait(most_ms / 1_000), "no answer")

    world.work = work
    world.schedule.replace([probe(kind="ping", interval_s=500)])
    world.turns.begin()
    until(lambda: world.runs, "the run")
    answer.set()
    until(lambda: not world.schedule.running, "its end")
    assert len(world.threads) == 1


def test_what_is_urgent_does_not_wait_for_the_one_that_has_the_turn(world: World) -> None:
    answer = threading.Event()

    def work(_: Entry, turn: Turn) -> None:
        Deadline(20, turn).wait(lambda most_ms: answer.wait(most_ms / 1_000), "no answer")

    world.work = work
    world.schedule.replace([probe(kind="ping", interval_s=500)])
    world.turns.begin()
    until(lambda: world.runs, "the run")
    world.report.due_at = -inf
    world.turns.nudge()
    until(lambda: world.sent, "the report")
    assert not answer.is_set()
    answer.set()


def test_a_nudge_wakes_the_one_that_waits(world: World) -> None:
    world.turns.begin()
    for number in range(1, 20):
        world.report.due_at = -inf
        world.turns.nudge()
        until(lambda number=number: len(world.sent) == number, "the report")
    world.schedule.replace([probe(kind="ping", interval_s=500)])
    world.turns.nudge()
    until(lambda: world.runs, "the new probe")


def test_a_report_waits_for_the_next_run_and_goes_with_it(world: World) -> None:
    world.report.due_at = monotonic()
    world.report.slack_s = 1_000.0
    world.turns.begin()
    world.schedule.replace([probe(kind="ping", interval_s=500)])
    world.turns.nudge()
    until(lambda: world.sent, "the report")
    assert len(world.runs) == 1
    assert world.sent[0] >= world.runs[0][1]


def test_a_report_waits_no_longer_than_its_slack(world: World) -> None:
    began = world.report.due_at = monotonic()
    world.report.slack_s = 0.1
    world.turns.begin()
    until(lambda: world.sent, "the report")
    assert world.sent[0] >= began + 0.1


def test_it_ends_while_a_probe_has_no_answer(world: World) -> None:
    answer = threading.Event()

    def work(_: Entry, turn: Turn) -> None:
        Deadline(20, turn).wait(lambda most_ms: answer.wait(most_ms / 1_000), "no answer")

    world.work = work
    world.schedule.replace([probe(kind="ping", interval_s=0.2)])
    world.turns.begin()
    until(lambda: len(world.threads) == 2, "another thread that waits")
    world.turns.stop()
    world.threads[1].join(60)
    assert not world.threads[1].is_alive()
    answer.set()
