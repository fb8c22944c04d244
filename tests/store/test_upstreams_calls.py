"""Breakers and records in the store, as hubs and workers see them."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from atalaia.core.errors import InvalidField, NotFound, StoreUnavailable
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.upstreams import Token
from atalaia.store.opening import open_store
from atalaia.upstreams.model.views import Notes, Standing
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.upstreams_kit import ACTOR, KEY, NAME, House, a_house, run, stored, until
from tests.unit.outbound.receiver import Receiver, always, receiving, reply


async def _fail(house: House, times: int, receiver: Receiver) -> None:
    client = house.upstreams.client(NAME)
    for _ in range(times):
        with pytest.raises(TemporaryFailure):
            await client.call("read", "GET", receiver.url)


def test_a_failing_upstream_is_left_alone_told_once_and_tried_again(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        answers = [reply(500)] * 5 + [reply()]
        async with (
            receiving(always(reply(500))) as receiver,
            a_house(make_store("access", "upstreams"), clock) as house,
        ):
            await _fail(house, 6, receiver)
            await house.loop("upstreams.records")
            assert (len(receiver.requests), house.seen()) == (5, [("UpstreamFailing", "breaker")])
            assert house.upstreams.blocked_s(NAME) == 30
            clock.advance(30)
            assert house.upstreams.blocked_s(NAME) == 0
            await _fail(house, 1, receiver)
            await house.loop("upstreams.records")
            assert house.upstreams.blocked_s(NAME) == 60
            clock.advance(60)
            receiver.answer = always(answers[-1])
            await house.upstreams.client(NAME).call("read", "GET", receiver.url)
            await house.loop("upstreams.records")
            assert house.seen() == [("UpstreamFailing", "breaker"), ("UpstreamBack", "breaker")]

    run(body())


def test_words_with_a_nul_in_them_lose_no_call(make_store: MakeStore, clock: FakeClock) -> None:
    """PostgreSQL takes none: with one such error all calls of that second were lost, and the breaker never opened."""

    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            calls = [house.call("temporary", operation="re\0ad", error="answered \0")] * 5
            await house.service.take_calls(NAME, calls)
            assert house.told[0].reason == "answered \N{REPLACEMENT CHARACTER}"  # type: ignore[union-attr]
            assert (await house.service.upstream(NAME)).hour.calls == 5

    run(body())


def test_what_opened_it_is_said_with_the_runbook(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            await house.service.write_notes(NAME, Notes("Call them.", "Ana, +55 11"), ACTOR)
            await house.service.take_calls(NAME, [house.call("temporary", error="answered 502")] * 5)
            told = house.told[0]
            assert (told.reason, told.runbook) == ("answered 502", "Call them.\n\nAna, +55 11")  # type: ignore[union-attr]

    run(body())


def test_what_one_hub_has_seen_all_hubs_know(
    make_store: MakeStore, clock: FakeClock, database_url: str | None, tmp_path: Path
) -> None:
    if database_url is None:
        pytest.skip("one hub has a SQLite file to itself")

    async def body() -> None:
        store = make_store("access", "upstreams")
        other_store = open_store(tmp_path, database_url=database_url)
        try:
            async with (
                a_house(store, clock) as one,
                a_house(other_store, clock) as other,
            ):
                await one.service.take_calls(NAME, [one.call("temporary")] * 5)

                async def has_heard() -> bool:
                    await other.loop("upstreams.breakers")
                    return other.upstreams.blocked_s(NAME) == 30

                await until(has_heard)
                clock.advance(30)
                granted = [await house.service.try_it(NAME) for house in (one, other)]
                assert [each.is_granted for each in granted] == [True, False]
        finally:
            other_store.close()

    run(body())


def test_workers_are_told_of_the_breaker_with_every_report(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            before = await house.service.take_calls(NAME, [house.call()])
            after = await house.service.take_calls(NAME, [house.call("temporary")] * 5)
            assert (before["default"].state, after["default"]) == ("closed", ("open", 30, False))
            with pytest.raises(InvalidField):
                await house.service.take_calls(NAME, [house.call(account="somebody")])
            with pytest.raises(NotFound):
                house.service.breaker("nobody")

    run(body())


def test_a_breaker_whose_pause_is_over_is_shown_half_open(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            told: list[tuple[str, str]] = []
            house.store.live.subscribe(lambda topic, name: told.append((topic, name)))

            async def shown() -> tuple[str, Standing, datetime | None]:
                view = await house.service.upstream(NAME)
                return view.accounts[0].breaker.phase, view.state, view.accounts[0].breaker.trial_at

            await house.service.take_calls(NAME, [house.call("temporary")] * 5)
            opened_at = clock.now()
            await house.loop("upstreams.breakers")
            assert await shown() == ("open", Standing.DOWN, opened_at + timedelta(seconds=30))
            told.clear()
            clock.advance(30)
            await house.loop("upstreams.breakers")
            await house.loop("upstreams.breakers")
            assert await shown() == ("half_open", Standing.DEGRADED, None)
            assert told == [("upstreams", NAME)], "open pages learn of it, once"
            await house.service.try_it(NAME)
            assert (await shown())[0] == "trial"
            clock.advance(60)
            assert (await shown())[0] == "half_open", "a trial whose result never came"
            await house.service.take_calls(NAME, [house.call()])
            assert (await shown())[0] == "closed"

    run(body())


def test_each_account_has_a_breaker_of_its_own(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        async with a_house(store, clock, accounts=lambda: ["north", "south"]) as house:
            await house.service.take_calls(NAME, [house.call("temporary", account="north")] * 5)
            assert house.upstreams.blocked_s(NAME, "north") == 30
            assert house.upstreams.blocked_s(NAME, "south") == 0

    run(body())


def test_a_polled_upstream_is_left_alone_no_longer_than_its_turn(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        async with a_house(store, clock, polling_interval_s=10.0) as house:
            await house.service.take_calls(NAME, [house.call("temporary")] * 5)
            assert house.upstreams.blocked_s(NAME) == 10

    run(body())


def test_a_person_lets_calls_through_again(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            await house.service.take_calls(NAME, [house.call("temporary")] * 5)
            await house.service.reset_breaker(NAME, ACTOR)
            assert house.upstreams.blocked_s(NAME) == 0
            assert house.seen()[-1] == ("UpstreamBack", "breaker")

    run(body())


def test_calls_are_added_up_and_failures_kept(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            for _ in range(2):
                calls = [house.call(duration_ms=ms) for ms in (10, 20, 30, 40)]
                await house.service.take_calls(
                    NAME, [*calls, house.call("permanent", operation="write", status=422, error="no")]
                )
            view = await house.service.upstream(NAME)
            assert (view.hour.calls, view.hour.ok, view.hour.max_ms) == (10, 8, 40)
            assert view.state is Standing.DEGRADED
            failures, following = await house.service.failures(NAME, limit=1)
            assert (failures[0].operation, failures[0].status, failures[0].error) == ("write", 422, "no")
            assert len((await house.service.failures(NAME, cursor=following, limit=5))[0]) == 1
            assert [each.operation for each in await house.service.operations(NAME)] == ["write", "read"]

    run(body())


def test_old_records_go_and_the_newest_stay(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        async with a_house(store, clock) as house:
            await house.service.take_calls(NAME, [house.call("temporary")])
            clock.advance(13 * 86400)
            await house.service.take_calls(NAME, [house.call("temporary")])
            clock.advance(2 * 86400)
            await house.loop("upstreams.clear_away")
            assert len(stored(store, "upstream_minutes")) == 1
            assert len(stored(store, "upstream_failures")) == 1

    run(body())


def test_what_the_store_did_not_take_is_written_later(
    make_store: MakeStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        async with receiving() as receiver, a_house(make_store("access", "upstreams"), clock) as house:
            await house.upstreams.client(NAME).call("read", "GET", receiver.url)
            write = house.store.write

            async def refuse(_unit: object) -> None:
                await asyncio.sleep(0)
                raise StoreUnavailable("away")

            monkeypatch.setattr(house.store, "write", refuse)
            with pytest.raises(StoreUnavailable):
                await house.loop("upstreams.records")
            monkeypatch.setattr(house.store, "write", write)
            await house.loop("upstreams.records")
            assert (await house.service.upstream(NAME)).hour.calls == 1

    run(body())


def test_no_secret_is_in_any_row(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        async with a_house(store, clock) as house:
            client = house.upstreams.client(NAME)

            def address(token: Token) -> str:
                return f"ws://127.0.0.1:1/{token.value.reveal()}/json"

            with pytest.raises(TemporaryFailure):
                async with client.socket("watch", address):
                    pass
            token = (await client.token()).value.reveal()
            with pytest.raises(TemporaryFailure):
                await client.call("read", "GET", f"http://127.0.0.1:1/{token}")
            await house.service.take_calls(NAME, [house.call("permanent", error=f"bad {token}")])
            await house.loop("upstreams.records")
        for table in ("upstream_tokens", "upstream_breakers", "upstream_failures", "upstream_minutes"):
            assert token not in repr(stored(store, table)), table

    run(body())


def test_the_list_has_the_worst_first(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            assert (await house.service.overview())[0].state is Standing.UNKNOWN
            await house.service.take_calls(NAME, [house.call()])
            assert (await house.service.overview())[0].state is Standing.UP
            clock.advance(timedelta(hours=2).total_seconds())
            await house.service.take_calls(NAME, [house.call("temporary")] * 5)
            view = (await house.service.overview())[0]
            assert (view.state, view.failing_since) == (Standing.DOWN, clock.now())
            assert house.service.failing() == [KEY]
            (found,) = await house.service.search("TRACK", 5)
            assert (found.title, found.href, found.state) == ("Tracker", "/upstreams/tracker", "down")

    run(body())


def test_charts_have_one_value_a_step_and_outcome(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            start = clock.now()
            for _ in range(6):  # minutes 0 to 5, in steps of three
                await house.service.take_calls(NAME, [house.call(), house.call(operation="write")])
                clock.advance(60)
            await house.service.take_calls(NAME, [house.call("temporary")])
            found = await house.service.steps(NAME, start=start, end=clock.now() + timedelta(minutes=3), step_s=180)
            places = sorted(
                ((each.minute_at - start).total_seconds() // 180, each.outcome, each.calls, sum(each.buckets))
                for each in found
            )
            assert places == [(0, "ok", 6, 6), (1, "ok", 6, 6), (2, "temporary", 1, 1)]

    run(body())
