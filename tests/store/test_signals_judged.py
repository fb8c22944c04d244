"""Too few answered, runs that fail in a row, a key refused again and again: told once, and told when it is over."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from atalaia.core.events import Event
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.signals import RunOutcome
from atalaia.signals.events import (
    SignalAnswered,
    SignalRefused,
    SignalRefusedNoMore,
    SignalRunsFailing,
    SignalRunsWell,
    SignalUnanswered,
)
from atalaia.signals.model.rate import Level
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.signals_site import OPERATOR, SLICES, Site, hear

Scene = Callable[[Site, list[Event]], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture
def play(make_store: MakeStore, clock: FakeClock) -> Play:
    store = make_store(*SLICES)

    def play(scene: Scene) -> None:
        async def run() -> None:
            told = hear(store)
            async with Site(store, clock, settings={"failures_to_incident": 3}) as site:
                await scene(site, told)

        asyncio.run(run())

    return play


async def minutes(site: Site, clock: FakeClock, count: int, *, statuses: list[int], place: str = "192.0.2.9") -> None:
    """So many minutes with these answers each, and a look after each."""
    for _ in range(count):
        for status in statuses:
            site.signals.counting.answered("watch", status, address=place)
        await site.signals.counting.flush()
        clock.advance(60)
        await site.signals.judging.judge()
    await site.signals.judging.look()


def test_missing_signals_are_noticed_where_it_is_known_how_many_should_come(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site, told: list[Event]) -> None:
        await site.make(expect_every_s=6)
        await minutes(site, clock, 15, statuses=[])
        assert told == []  # nothing is expected before the first one
        await minutes(site, clock, 15, statuses=[202] * 5 + [200] * 4 + [429])
        signal = await site.signals.reading.one("watch")
        assert (signal.level, signal.rate.ratio) == (Level.WELL, 1.0)
        await minutes(site, clock, 1, statuses=[202])  # 141 of 150: under 95 %
        assert (await site.signals.reading.one("watch")).level is Level.DEGRADED
        assert told == []
        await minutes(site, clock, 2, statuses=[])  # the sender is silent
        assert [type(event) for event in told] == [SignalUnanswered]
        assert not site.signals.judging.is_well()
        await minutes(site, clock, 16, statuses=[202] * 10)
        assert [type(event) for event in told] == [SignalUnanswered, SignalAnswered]
        assert site.signals.judging.is_well()

    play(scene)


def test_refused_and_failed_ones_count_where_nothing_is_expected(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site, told: list[Event]) -> None:
        await site.make()
        await minutes(site, clock, 3, statuses=[202] * 19)
        assert (await site.signals.reading.one("watch")).level is Level.WELL
        await minutes(site, clock, 3, statuses=[500] * 5 + [202] * 5)
        assert [type(event) for event in told] == [SignalUnanswered]
        await minutes(site, clock, 20, statuses=[])  # nobody sends: nothing new is known
        assert len(told) == 1

    play(scene)


def test_failed_runs_in_a_row_are_told_and_end_with_the_first_good_one(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site, told: list[Event]) -> None:
        await site.make()
        for count in range(1, 5):
            site.work.outcome = TemporaryFailure("no answer from example.org")
            clock.advance(2)
            await site.send()
            await site.has_begun(count)
            await site.let_go()
        assert [event.failures for event in told if isinstance(event, SignalRunsFailing)] == [3, 4]
        (run, *_) = (await site.signals.reading.runs("watch", cursor=None, limit=9))[0]
        assert (run.outcome, run.error) == ("failed", "upstream_temporary: no answer from example.org")
        site.work.outcome = RunOutcome()
        clock.advance(2)
        await site.send()
        await site.has_begun(5)
        await site.let_go()
        assert isinstance(told[-1], SignalRunsWell)

    play(scene)


def test_a_bug_in_a_task_is_a_failed_run_without_its_words(play: Play) -> None:
    async def scene(site: Site, _told: list[Event]) -> None:
        await site.make()
        site.work.outcome = ValueError("password=hunter2")
        await site.send()
        await site.has_begun()
        await site.let_go()
        (run,) = (await site.signals.reading.runs("watch", cursor=None, limit=9))[0]
        assert (run.outcome, run.error) == ("failed", "internal_error: ValueError")

    play(scene)


def test_a_place_that_is_refused_again_and_again_is_told_until_it_is_quiet(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site, told: list[Event]) -> None:
        await site.make()
        await minutes(site, clock, 2, statuses=[401, 401], place="2001:db8::1")
        assert told == []
        await minutes(site, clock, 2, statuses=[401, 401], place="2001:db8::2")
        assert told == [SignalRefused(signal="watch", place="2001:db8::/64", times=6)]
        await minutes(site, clock, 12, statuses=[])
        assert told[1:] == [SignalRefusedNoMore(signal="watch", place="2001:db8::/64")]

    play(scene)


def test_what_a_dropped_signal_had_open_ends_with_it(play: Play, clock: FakeClock) -> None:
    """Also where the command dropped it, which tells nobody: the leader finds it."""

    async def scene(site: Site, told: list[Event]) -> None:
        await site.make()
        await minutes(site, clock, 3, statuses=[500] * 10 + [401] * 10)
        assert {type(event) for event in told} == {SignalUnanswered, SignalRefused}
        await site.signals.drop("watch", OPERATOR)
        await site.signals.judging.judge()
        assert {SignalAnswered, SignalRefusedNoMore} <= {type(event) for event in told}
        before = len(told)
        await site.signals.judging.judge()
        assert len(told) == before

    play(scene)


def test_names_that_nobody_has_are_not_counted(play: Play) -> None:
    async def scene(site: Site, _told: list[Event]) -> None:
        await site.make()
        for number in range(50):
            site.signals.counting.answered(f"guess{number}", 401, address="192.0.2.9")
        site.signals.counting.answered("watch", 202)
        await site.signals.counting.flush()
        samples = [sample for family in site.signals.counting.collect() for sample in family.samples]
        assert {sample.labels.get("signal") for sample in samples} == {"watch"}
        signal = await site.signals.reading.one("watch")
        assert signal.last_answer is not None
        assert signal.last_answer.status == 202

    play(scene)
