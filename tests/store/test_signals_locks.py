"""One run at a time and not too often, over hubs and restarts; whoever comes back from the dead writes nothing."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from atalaia.core.clock import SystemClock
from atalaia.core.errors import Overloaded
from atalaia.core.ids import new_id
from atalaia.sdk.failures import PermanentFailure
from atalaia.sdk.signals import RunLost, RunOutcome
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.locks import Lock
from atalaia.signals.model.runs import Ending, Outcome
from atalaia.signals.queries import locks
from atalaia.signals.service.clocks import deciding_clock
from atalaia.signals.service.starting import Wish
from atalaia.signals.service.tasks import Started
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.stillness import unhurried
from tests.store.signals_site import OPERATOR, SLICES, Site, hear, until, until_async

LEASE_S = 30


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store(*SLICES)


def play(store: Store, clock: FakeClock, scene: Callable[[Site], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Site(store, clock) as site:
            await scene(site)

    asyncio.run(run())


def play_two(store: Store, clock: FakeClock, scene: Callable[[Site, Site], Awaitable[None]]) -> None:
    """Two hubs on one database."""

    async def run() -> None:
        async with Site(store, clock) as first, Site(store, clock) as second:
            await scene(first, second)

    asyncio.run(run())


def test_lock_first_then_throttle(store: Store, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make(min_interval_s=1.5)
        assert [await site.send() for _ in range(3)] == ["Started", "Held", "Held"]
        await site.has_begun()
        clock.advance(5)
        assert await site.send() == "Held"  # it goes on for longer than the throttle
        await site.let_go()
        assert await site.send() == "Started"
        await site.has_begun(2)
        await site.let_go()
        clock.advance(1.4)
        assert await site.send() == "Throttled"
        clock.advance(0.2)
        assert await site.send() == "Started"

    play(store, clock, scene)


def test_a_run_that_is_on_record_as_ended_holds_nobody_up(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(site: Site) -> None:
        ends, heard = site.signals.running._ends, asyncio.Event()
        end = ends.end

        async def end_and_hear_late(started: Started, ending: Ending) -> bool:
            kept = await end(started, ending)
            await heard.wait()
            return kept

        async def is_on_record() -> bool:
            return (await site.signals.reading.one("watch")).running is None

        monkeypatch.setattr(ends, "end", end_and_hear_late)
        await site.make(min_interval_s=5)
        assert [await site.send() for _ in range(2)] == ["Started", "Held"]
        site.work.go.set()
        await until_async(is_on_record)
        assert await site.send() == "Throttled"
        clock.advance(5)
        assert await site.send() == "Started"
        heard.set()

    play(store, clock, scene)


def test_two_hubs_have_one_lock_and_one_throttle(store: Store, clock: FakeClock) -> None:
    async def scene(first: Site, second: Site) -> None:
        await first.make(min_interval_s=2)
        assert await first.send() == "Started"
        assert await second.send() == "Held"
        await first.has_begun()
        await first.let_go()
        assert await second.send() == "Throttled"
        clock.advance(2)
        replies = await asyncio.gather(*(site.send() for site in (first, second) for _ in range(20)))
        assert sorted(replies) == ["Held"] * 39 + ["Started"]

    play_two(store, clock, scene)


def test_a_run_is_on_record_before_its_signal_is_answered(store: Store, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await site.send(source="vps-monitor")
        (run,) = (await site.signals.reading.runs("watch", cursor=None, limit=10))[0]
        assert (run.outcome, run.source, run.fence, run.ended_at) == ("running", "vps-monitor", 1, None)
        await site.has_begun()
        clock.advance(3)
        await site.let_go()
        (kept,) = (await site.signals.reading.runs("watch", cursor=None, limit=10))[0]
        assert (kept.id, kept.outcome, kept.took_ms, kept.summary) == (run.id, "succeeded", 3000, "{n} closed")

    play(store, clock, scene)


def test_a_run_that_found_nothing_is_counted_and_not_kept(store: Store, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        site.work.outcome = RunOutcome()
        for count, seconds in ((1, 2), (2, 4)):
            await site.send()
            await site.has_begun(count)
            clock.advance(seconds)
            await site.let_go()
        assert (await site.signals.reading.runs("watch", cursor=None, limit=10))[0] == []
        ended = (await site.signals.reading.rates("watch")).durations
        assert (ended.outcomes, ended.mean_ms, ended.slowest_ms) == ({"nothing": 2}, 3000, 4000)

    play(store, clock, scene)


def test_when_a_process_dies_the_next_signal_after_the_lease_runs(store: Store, clock: FakeClock) -> None:
    """The first hub stands still from its start on, as one that was stopped does."""

    async def scene(first: Site, second: Site) -> None:
        await first.make()
        await first.send()
        late = await first.has_begun()
        clock.advance(LEASE_S - 1)
        assert await second.send() == "Held"
        clock.advance(2)
        assert await second.send() == "Started"
        assert (await second.has_begun()).fence == late.fence + 1
        lost = (await second.signals.reading.runs("watch", cursor=None, limit=10))[0][-1]
        assert (lost.id, lost.outcome, lost.took_ms) == (late.id, "lost", LEASE_S * 1000)
        written: list[str] = []
        with pytest.raises(RunLost):
            await late.write(lambda _tx: written.append("late"))
        assert written == []
        started = Started("watch", late.id, late.fence, "", 0, "test.look", "{}", None)
        assert await first.signals.ends.end(started, Ending(Outcome.SUCCEEDED)) is False
        await second.work.runs[0].write(lambda _tx: written.append("in force"))
        assert written == ["in force"]

    play_two(store, clock, scene)


def test_a_lapsed_run_is_put_on_record_without_another_signal(store: Store, clock: FakeClock) -> None:
    async def scene(first: Site, second: Site) -> None:
        await first.make()
        await first.send()
        late = await first.has_begun()
        await second.signals.ends.reap()
        clock.advance(LEASE_S)
        await second.signals.ends.reap()
        await second.signals.ends.reap()
        runs = (await second.signals.reading.runs("watch", cursor=None, limit=10))[0]
        assert [(run.id, run.outcome) for run in runs] == [(late.id, "lost")]
        with pytest.raises(RunLost):
            await late.write(lambda _tx: None)

    play_two(store, clock, scene)


def test_a_write_of_a_run_is_kept_or_lost_as_one(store: Store, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await site.send()
        run = await site.has_begun()

        def spoiled(tx: Tx) -> None:
            tx.raw("UPDATE signals SET expect_every_s = 7")
            raise PermanentFailure("no")

        with pytest.raises(PermanentFailure):
            await run.write(spoiled)
        assert (await site.signals.reading.one("watch")).expect_every_s is None
        await run.write(lambda tx: tx.raw("UPDATE signals SET expect_every_s = 7"))
        assert (await site.signals.reading.one("watch")).expect_every_s == 7

    play(store, clock, scene)


def test_a_reason_with_a_nul_in_it_is_on_record(store: Store, clock: FakeClock) -> None:
    """PostgreSQL takes none: the end was not kept, the lock stayed for a lease, and the run was told as lost."""

    async def scene(site: Site) -> None:
        await site.make()
        await site.send()
        await site.has_begun()
        site.work.outcome = PermanentFailure("answered \0")
        await site.let_go()
        (run,), _ = await site.signals.reading.runs("watch", cursor=None, limit=5)
        assert (run.outcome, run.error) == (Outcome.FAILED, "upstream_permanent: answered \N{REPLACEMENT CHARACTER}")

    play(store, clock, scene)


def test_a_lease_is_renewed_while_the_run_goes_on(store: Store) -> None:
    """By the real clocks, the database's on PostgreSQL: a lease of a second, and a run of more than two."""

    async def scene(slower: float) -> None:
        clock, decides = SystemClock(), deciding_clock(store, SystemClock())
        settings = {"lease_s": slower}
        async with (
            Site(store, clock, settings=settings, now_ms=decides) as first,
            Site(store, clock, settings=settings, now_ms=decides) as second,
        ):
            await first.make(min_interval_s=0)
            assert await first.send() == "Started"
            run = await first.has_begun()
            replies: set[str] = set()
            end = clock.monotonic() + 2.2 * slower
            while clock.monotonic() < end:
                replies.add(await second.send())
                await second.signals.ends.reap()
                await asyncio.sleep(0.02)
            assert replies == {"Held"}
            await run.write(lambda _tx: None)
            await first.let_go()
            assert await second.send() == "Started"

    unhurried(lambda slower: asyncio.run(scene(slower)), bears_s=0.2)


def test_a_run_whose_signal_is_dropped_is_broken_off(store: Store) -> None:
    async def scene() -> None:
        async with Site(store, SystemClock(), settings={"lease_s": 1.0}) as site:
            await site.make()
            await site.send()
            run = await site.has_begun()
            await site.signals.drop("watch", OPERATOR)
            await until(lambda: site.work.cancelled == [run.id])
            assert await site.send() == "Unknown"

    asyncio.run(scene())


def test_a_number_never_comes_again(store: Store, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await site.send()
        assert (await site.has_begun()).fence == 1
        await site.let_go()
        await site.signals.drop("watch", OPERATOR)
        await site.make()
        clock.advance(2)
        await site.send()
        assert (await site.has_begun(2)).fence == 2

    play(store, clock, scene)


def test_of_many_signals_in_one_commit_one_begins(store: Store, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make("a")
        await site.make("b")

        def unit(tx: Tx) -> list[str]:
            wishes = [Wish(name, new_id(), "") for name in ("a", "b", "a", "none", "b", "a")]
            return [type(reply).__name__ for reply in site.signals.starting.start_many(tx, wishes)]

        replies = await site.store.write(unit)
        assert replies == ["Started", "Started", "Held", "Unknown", "Held", "Held"]

    play(store, clock, scene)


def test_a_paused_signal_takes_none_but_a_persons(store: Store, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make(is_paused=True)
        assert await site.send() == "Paused"
        begun = await site.signals.run_now("watch", OPERATOR)
        assert (await site.has_begun()).id == begun.id

    play(store, clock, scene)


def test_a_stop_breaks_the_run_off_and_frees_the_lock(store: Store, clock: FakeClock) -> None:
    told = hear(store)

    async def scene() -> None:
        async with Site(store, clock, settings={"failures_to_incident": 1}) as site:
            await site.make(min_interval_s=0)
            await site.send()
            await site.has_begun()
        async with Site(store, clock) as again:
            (run,) = (await again.signals.reading.runs("watch", cursor=None, limit=10))[0]
            assert (run.outcome, run.error) == ("lost", "the hub was stopped")
            assert (await again.signals.reading.one("watch")).failures == 0
            assert await again.send() == "Started"

    asyncio.run(scene())
    assert told == []


def test_a_run_that_begins_as_the_hub_stops_leaves_no_lock(store: Store, clock: FakeClock) -> None:
    async def scene() -> None:
        async with Site(store, clock) as site:
            await site.make(min_interval_s=0)
            wish = Wish("watch", new_id(), "")
            await site.store.write(lambda tx: site.signals.starting.start_many(tx, [wish]))
            site.signals.running.release()
            with pytest.raises(Overloaded):
                await site.send()
            await until(lambda: not site.signals.running.is_ours(wish.run_id))
            assert (await site.signals.reading.one("watch")).running is None

    asyncio.run(scene())


def test_a_clock_that_was_set_back_holds_no_lock_for_longer_than_a_lease(store: Store, clock: FakeClock) -> None:
    async def scene() -> None:
        site = Site(store, clock)
        await site.signals.start()
        await site.make()
        held = Lock(5, 0, 2**52, 0, "gone", "")
        await store.write(lambda tx: locks.start(tx, "watch", held, holder="dead"))
        async with Site(store, clock) as again:
            await store.write(again.signals.clamp_leases)
            assert await again.send() == "Held"
            clock.advance(LEASE_S)
            assert await again.send() == "Started"
        await site.http.aclose()

    asyncio.run(scene())


def test_a_wall_clock_that_is_set_forward_under_a_run_begins_no_second_one(store: Store, clock: FakeClock) -> None:
    async def scene(site: Site) -> None:
        await site.make()
        await site.send()
        await site.has_begun()
        clock.jump(3600)
        assert (
            await site.store.write(
                lambda tx: type(site.signals.starting.start_many(tx, [Wish("watch", new_id(), "")])[0]).__name__
            )
            == "Held"
        )

    play(store, clock, scene)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
def test_a_hub_that_stands_still_in_a_transaction_holds_up_nobody(store: Store, clock: FakeClock) -> None:
    """Its row is locked; the others answer at once."""

    async def scene(site: Site) -> None:
        await site.make(min_interval_s=0)
        with store.writer_engine.connect() as connection, connection.begin():
            connection.exec_driver_sql("SELECT * FROM signal_locks FOR UPDATE")
            async with asyncio.timeout(60):
                assert await site.send() == "Held"
                await site.signals.ends.reap()
        clock.advance(2)
        assert await site.send() == "Started"

    play(store, clock, scene)
