"""What charts and lists of signals are told by the store."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from atalaia.core.clock import to_ms
from atalaia.core.errors import NotFound
from atalaia.sdk.signals import RunOutcome
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.signals_site import SLICES, Site

Scene = Callable[[Site], Awaitable[None]]
Play = Callable[[Scene], None]
MINUTE_MS = 60_000


@pytest.fixture
def play(make_store: MakeStore, clock: FakeClock) -> Play:
    store = make_store(*SLICES)

    def play(scene: Scene) -> None:
        async def run() -> None:
            async with Site(store, clock) as site:
                await scene(site)

        asyncio.run(run())

    return play


async def minutes(site: Site, clock: FakeClock, count: int, *statuses: int, name: str = "watch") -> None:
    for _ in range(count):
        for status in statuses:
            site.signals.counting.answered(name, status, address="192.0.2.9")
        await site.signals.counting.flush()
        clock.advance(60)


async def values(site: Site, clock: FakeClock, of: str, *, minutes_back: int, step_s: int = 60) -> list[float | None]:
    now_ms = to_ms(clock.now())
    line = await site.signals.drawing.line(
        "watch", of, from_ms=now_ms - minutes_back * MINUTE_MS, until_ms=now_ms, step_s=step_s
    )
    assert line.times == sorted(line.times)
    return line.values


def test_a_line_has_a_value_for_each_minute_also_where_nothing_came(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        assert await values(site, clock, "started", minutes_back=60) == []
        await minutes(site, clock, 2, 202, 202, 200, 429)
        await minutes(site, clock, 2)
        await minutes(site, clock, 1, 202, 401, 500, 400)
        assert await values(site, clock, "started", minutes_back=60) == [2, 2, 0, 0, 1]
        assert await values(site, clock, "skipped", minutes_back=60) == [1, 1, 0, 0, 0]
        assert await values(site, clock, "throttled", minutes_back=60) == [1, 1, 0, 0, 0]
        assert await values(site, clock, "unanswered", minutes_back=60) == [0, 0, 0, 0, 3]
        assert await values(site, clock, "ratio", minutes_back=60) == [1, 1, None, None, 0.25]

    play(scene)


def test_the_minute_that_goes_on_is_left_out(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await minutes(site, clock, 1, 202, 202)
        site.signals.counting.answered("watch", 202, address="192.0.2.9")
        await site.signals.counting.flush()
        clock.advance(20)
        assert await values(site, clock, "started", minutes_back=10) == [2]

    play(scene)


def test_longer_steps_say_how_many_a_minute_and_so_does_the_last_part_of_one(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await minutes(site, clock, 20, 202, 202)
        assert set(await values(site, clock, "started", minutes_back=15, step_s=240)) == {2}

    play(scene)


def test_where_it_is_known_how_many_should_come_the_missing_ones_count(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make(expect_every_s=15)
        await minutes(site, clock, 1, 202, 202, 202, 202, 202)
        await minutes(site, clock, 1, 202)
        await minutes(site, clock, 1)
        assert await values(site, clock, "ratio", minutes_back=10) == [1, 0.25, 0]

    play(scene)


def test_how_long_runs_took_is_drawn_by_the_hour(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make(min_interval_s=0)
        for number, seconds in enumerate((1, 3), start=1):
            assert await site.send() == "Started"
            await site.has_begun(number)
            clock.advance(seconds)
            await site.let_go()
        assert await values(site, clock, "mean", minutes_back=60) == [2_000]
        assert await values(site, clock, "slowest", minutes_back=60) == [3_000]
        lately = (await site.signals.drawing.lately())["watch"]
        assert (lately.runs, lately.mean_ms, lately.slowest_ms) == (2, 2_000, 3_000)

    play(scene)


def test_a_reach_of_years_is_drawn_with_no_more_points_than_can_be_seen(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await minutes(site, clock, 1, 202)
        clock.advance(86_400 * 400)
        assert 300 < len(await values(site, clock, "started", minutes_back=60 * 24 * 500)) <= 2_001

    play(scene)


def test_lists_are_told_of_the_last_minutes_and_the_last_hour(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await site.make("other")
        await minutes(site, clock, 50, 202, 429)
        await minutes(site, clock, 5, 202, 200)
        lately = await site.signals.drawing.lately()
        assert set(lately) == {"watch"}
        assert lately["watch"].per_minute == 2
        assert lately["watch"].answers["throttled"] == 50
        assert lately["watch"].answers["skipped"] == 5
        assert lately["watch"].mean_ms is None

    play(scene)


def test_runs_that_found_nothing_to_do_are_counted(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make(min_interval_s=0)
        site.work.outcome = RunOutcome()
        for number in (1, 2):
            await site.send()
            await site.has_begun(number)
            await site.let_go()
        assert await site.signals.drawing.found_nothing("watch") == 2
        clock.advance(86_400 * 2)
        assert await site.signals.drawing.found_nothing("watch") == 0

    play(scene)


def test_places_with_a_wrong_key_are_named(play: Play, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await minutes(site, clock, 3, 401)
        assert await site.signals.drawing.refused_places("watch") == [("192.0.2.9", 3)]

    play(scene)


def test_a_line_of_a_signal_that_is_not_there_is_not_found(play: Play) -> None:
    async def scene(site: Site) -> None:
        with pytest.raises(NotFound):
            await site.signals.drawing.line("nobody", "mean", from_ms=0, until_ms=1, step_s=1)

    play(scene)
