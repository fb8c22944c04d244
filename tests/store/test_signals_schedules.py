"""Slots run at most once, whoever leads; jobs that the clock makes are made with their slot, or not at all."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from msgspec import Raw

from atalaia.core.errors import Conflict, Forbidden, InvalidField, NotFound, TooManyRequests
from atalaia.core.permissions import Permission, Principal
from atalaia.jobs.model.views import JobFilter
from atalaia.jobs.service.creating import Creating
from atalaia.signals.model.signals import JobOptions, SignalChange, SignalIn, WebhookOptions
from atalaia.signals.service.book import Actor
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.signals_site import OPERATOR, SLICES, Site, until_async

Scene = Callable[[Site], Awaitable[None]]
MOW = JobOptions(type="mow", payload=Raw(b'{"n":  1}'))


@pytest.fixture
def play(make_store: MakeStore, clock: FakeClock) -> Callable[[Scene], None]:
    store = make_store(*SLICES)

    def play(scene: Scene) -> None:
        async def run() -> None:
            async with Site(store, clock) as site:
                await scene(site)

        asyncio.run(run())

    return play


async def payloads(site: Site) -> list[str]:
    lines, _ = await site.jobs.reading.jobs(JobFilter(type="mow"), limit=10)
    return [bytes((await site.jobs.reading.job(line.id)).payload).decode() for line in lines]


def test_a_slot_makes_one_job_and_a_missed_one_none(play: Callable[[Scene], None], clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        made = await site.make("noon", "job", cron="0 12 * * *", job=MOW)
        assert made.signal.next_at == datetime(2026, 1, 15, 15, 0, tzinfo=UTC)  # in São Paulo
        for _ in range(2):
            clock.advance(3 * 3600)
            for _ in range(3):
                await site.signals.scheduling.round()
        assert await payloads(site) == ['{"n":  1}']
        clock.advance(86_400 * 2)  # nobody led
        await site.signals.scheduling.round()
        assert len(await payloads(site)) == 1
        signal = await site.signals.reading.one("noon")
        assert signal.last_slot_at == datetime(2026, 1, 15, 15, 0, tzinfo=UTC)
        assert signal.next_at is not None
        assert signal.next_at > clock.now()

    play(scene)


def test_missed_slots_run_once_together_where_that_is_wanted(play: Callable[[Scene], None], clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make("hourly", "job", cron="0 * * * *", job=MOW, runs_missed=True)
        clock.advance(86_400)
        for _ in range(2):
            await site.signals.scheduling.round()
        assert len(await payloads(site)) == 1

    play(scene)


def test_two_that_think_they_lead_run_a_slot_once(make_store: MakeStore, clock: FakeClock) -> None:
    store = make_store(*SLICES)

    async def run() -> None:
        async with Site(store, clock) as first, Site(store, clock) as second:
            await first.make("hourly", "job", cron="0 * * * *", job=MOW, min_interval_s=0)
            for _ in range(3):
                clock.advance(3600)
                await asyncio.gather(*(site.signals.scheduling.round() for site in (first, second) for _ in range(4)))
            assert len(await payloads(first)) == 3

    asyncio.run(run())


def test_slot_run_and_job_are_one(
    play: Callable[[Scene], None], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash before the commit makes none of them, and the slot is still due."""

    async def scene(site: Site) -> None:
        await site.make("hourly", "job", cron="0 * * * *", job=MOW)
        await site.make("other", cron="0 * * * *")
        clock.advance(3600)
        with monkeypatch.context() as patch:
            patch.setattr(Creating, "create_in", _crash)
            await site.signals.scheduling.round()
        assert await payloads(site) == []
        assert (await site.has_begun()).signal == "other"  # which has nothing to do with it
        assert (await site.signals.reading.one("hourly")).last_started_at is None
        await site.signals.scheduling.round()
        assert len(await payloads(site)) == 1

    play(scene)


def _crash(*_args: object, **_options: object) -> None:
    raise MemoryError


def test_a_scheduled_run_heeds_the_lock(play: Callable[[Scene], None], clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make(cron="* * * * *")
        clock.advance(45)
        await site.send()
        await site.has_begun()
        clock.advance(15)
        for _ in range(3):
            await site.signals.scheduling.round()
        signal = await site.signals.reading.one("watch")
        assert (signal.last_slot_at, signal.running and signal.running.fence) == (None, 1)
        await site.let_go()
        clock.advance(60)
        await site.signals.scheduling.round()
        assert (await site.has_begun(2)).source == "schedule"

    play(scene)


def test_a_paused_one_has_no_slots_and_none_when_it_goes_on(play: Callable[[Scene], None], clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make("hourly", "job", cron="0 * * * *", job=MOW, is_paused=True, runs_missed=True)
        clock.advance(7200)
        await site.signals.scheduling.round()
        resumed = await site.signals.change("hourly", SignalChange(is_paused=False), OPERATOR)
        assert resumed.signal.next_at is not None
        assert resumed.signal.next_at > clock.now()
        await site.signals.scheduling.round()
        assert await payloads(site) == []

    play(scene)


def test_a_change_of_something_else_loses_no_slot(play: Callable[[Scene], None], clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        made = await site.make("hourly", "job", cron="0 * * * *", job=MOW)
        clock.advance(3600)
        changed = await site.signals.change("hourly", SignalChange(min_interval_s=9), OPERATOR)
        assert changed.signal.next_at == made.signal.next_at
        ended = await site.signals.change("hourly", SignalChange(cron=None), OPERATOR)
        assert ended.signal.next_at is None

    play(scene)


def test_what_cannot_be_is_refused_by_its_field(play: Callable[[Scene], None]) -> None:
    async def refused(site: Site, **fields: object) -> str:
        wanted = {"name": "x", "task": "test.look"} | fields
        with pytest.raises(InvalidField) as caught:
            await site.signals.create(SignalIn(**wanted), OPERATOR)  # type: ignore[arg-type]  # wrong on purpose
        return caught.value.field

    async def scene(site: Site) -> None:
        assert await refused(site, name="a b") == "name"
        assert await refused(site, task="test.nothing") == "task"
        assert await refused(site, task="job") == "job"
        assert await refused(site, task="webhook") == "webhook"
        assert await refused(site, task="webhook", webhook=WebhookOptions(url="ftp://x")) == "url"
        assert await refused(site, task="command", command="rm") == "command"
        assert await refused(site, cron="61 * * * *") == "cron"
        assert await refused(site, timezone="Mars/Sea") == "timezone"
        await site.make("taken")
        with pytest.raises(Conflict):
            await site.signals.create(SignalIn(name="taken", task="test.look"), OPERATOR)
        with pytest.raises(NotFound):
            await site.signals.change("none", SignalChange(), OPERATOR)
        lesser = Actor(Principal("k", "key", "k", frozenset({Permission.SIGNALS_WRITE})))
        with pytest.raises(Forbidden):
            await site.signals.create(SignalIn(name="x", task="job", job=MOW), lesser)

    play(scene)


def test_a_person_runs_it_now_within_lock_and_throttle(play: Callable[[Scene], None]) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        begun = await site.signals.run_now("watch", OPERATOR)
        run = await site.has_begun()
        assert (run.id, run.source) == (begun.id, "person: Atalaia")
        with pytest.raises(Conflict):
            await site.signals.run_now("watch", OPERATOR)
        await site.let_go()
        with pytest.raises(TooManyRequests):
            await site.signals.run_now("watch", OPERATOR)
        with pytest.raises(NotFound):
            await site.signals.run_now("none", OPERATOR)

    play(scene)


def test_old_runs_and_those_of_dropped_signals_go(play: Callable[[Scene], None], clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        for name in ("old", "dropped"):
            await site.make(name, "job", job=MOW)
            assert await site.send(name) == "Started"
        clock.advance(80 * 86_400)
        await site.signals.drop("dropped", OPERATOR)
        assert await site.send("old") == "Started"
        clock.advance(11 * 86_400)
        await site.signals.counting.flush()
        await site.signals.clear_away()
        assert len((await site.signals.reading.runs("old", cursor=None, limit=9))[0]) == 1
        await site.make("dropped", "job", job=MOW)
        assert (await site.signals.reading.runs("dropped", cursor=None, limit=9))[0] == []

    play(scene)


def test_runs_come_in_pages(play: Callable[[Scene], None], clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make("often", "job", job=MOW, min_interval_s=0)
        for _ in range(5):
            clock.advance(2)
            assert await site.send("often") == "Started"
        seen: list[int] = []
        cursor = None
        while True:
            runs, cursor = await site.signals.reading.runs("often", cursor=cursor, limit=2)
            seen += [run.fence for run in runs]
            if cursor is None:
                break
        assert seen == [5, 4, 3, 2, 1]

    play(scene)


def test_store_keeps_the_payload_to_the_byte_over_a_change(make_store: MakeStore, clock: FakeClock) -> None:
    store: Store = make_store(*SLICES)

    async def run() -> None:
        async with Site(store, clock) as site:
            await site.make("exact", "job", job=MOW)
            await site.signals.change("exact", SignalChange(min_interval_s=3), OPERATOR)
            assert await site.send("exact") == "Started"
            await until_async(lambda: _has(site, ['{"n":  1}']))

    asyncio.run(run())


async def _has(site: Site, wanted: list[str]) -> bool:
    return await payloads(site) == wanted
