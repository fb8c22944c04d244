"""Session tokens: one login for all, renewed ahead, never a storm, never in the clear."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from atalaia.core.errors import InvalidField
from atalaia.core.redaction import Known, Secret
from atalaia.sdk.failures import AuthExpired, PermanentFailure, TemporaryFailure
from atalaia.sdk.transaction import Tx
from atalaia.store.opening import open_store
from atalaia.upstreams.queries import tokens as queries
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.upstreams_kit import ACTOR, KEY, NAME, House, LoginDesk, a_house, run, stored

GIVEN = "given-by-hand-0123456789"


def test_the_first_who_asks_logs_in_and_all_others_get_the_same_token(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            tokens = await asyncio.gather(*(house.keeper.token(KEY) for _ in range(20)))
            assert {token.value.reveal() for token in tokens} == {"session-token-of-login-1"}
            assert (house.desk.count, tokens[0].generation) == (1, 1)

    run(body())


def test_a_token_is_kept_sealed_and_survives_the_process(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        async with a_house(store, clock) as first:
            await first.keeper.token(KEY)
        assert b"session-token" not in repr(stored(store, "upstream_tokens")).encode()
        async with a_house(store, clock) as second:
            assert (await second.keeper.token(KEY)).value == Secret("session-token-of-login-1")
            assert second.desk.count == 0

    run(body())


def test_a_rejected_token_means_one_new_login_for_all_who_say_so(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            old = await house.keeper.token(KEY)
            again = [house.keeper.token(KEY, rejected=old.generation) for _ in range(20)]
            assert {token.generation for token in await asyncio.gather(*again)} == {2}
            assert house.desk.count == 2

    run(body())


def test_who_names_an_older_token_gets_the_present_one_without_a_login(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            await house.keeper.token(KEY)
            newer = await house.keeper.token(KEY, rejected=1)
            assert await house.keeper.token(KEY, rejected=1) == newer
            assert house.desk.count == 2

    run(body())


def test_a_token_is_over_with_its_life(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock, token_life_s=3600) as house:
            await house.keeper.token(KEY)
            clock.advance(3600)
            assert (await house.keeper.token(KEY)).generation == 2

    run(body())


def test_a_token_that_is_over_when_it_comes_does_not_make_a_storm_of_logins(
    make_store: MakeStore, clock: FakeClock
) -> None:
    """The other side's clock is behind ours: each login was followed by the next, at once and without end."""

    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock, token_life_s=3600) as house:
            house.desk.expires_at = clock.now() - timedelta(hours=2)
            token = await asyncio.wait_for(house.keeper.token(KEY), 60)
            assert (token.generation, house.desk.count) == (1, 1)
            assert token.expires_at == clock.now() + timedelta(hours=1)

    run(body())


def test_words_with_a_nul_in_them_are_kept_as_the_reason(make_store: MakeStore, clock: FakeClock) -> None:
    """PostgreSQL takes none: the failure was not kept, and the next login came without a pause."""

    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            house.desk.failure = PermanentFailure("wrong\0password")
            for _ in range(2):
                with pytest.raises((PermanentFailure, TemporaryFailure), match="wrong"):
                    await house.keeper.token(KEY)
            assert house.desk.count == 1

    run(body())


@pytest.mark.parametrize(("life_h", "ahead_min"), [(6, 60), (1, 12), (24, 60)])
def test_a_token_is_renewed_ahead_of_its_end(
    make_store: MakeStore, clock: FakeClock, life_h: int, ahead_min: int
) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock, token_life_s=life_h * 3600) as house:
            await house.loop("upstreams.tokens")
            assert house.desk.count == 0, "one that was never asked for is left alone"
            await house.keeper.token(KEY)
            clock.advance(life_h * 3600 - ahead_min * 60 - 1)
            await house.loop("upstreams.tokens")
            assert house.desk.count == 1
            clock.advance(1)
            await house.loop("upstreams.tokens")
            assert house.desk.count == 2

    run(body())


def test_while_the_renewal_fails_the_old_token_is_used_to_its_end(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock, token_life_s=6 * 3600) as house:
            old = await house.keeper.token(KEY)
            clock.advance(5.5 * 3600)
            house.desk.failure = TemporaryFailure("away")
            await house.loop("upstreams.tokens")
            assert await house.keeper.token(KEY) == old
            clock.advance(0.5 * 3600)
            with pytest.raises(TemporaryFailure):
                await house.keeper.token(KEY)

    run(body())


def test_failed_logins_wait_longer_each_time_and_nobody_asks_meanwhile(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            house.desk.failure = TemporaryFailure("away")
            waits = []
            for _ in range(9):
                with pytest.raises(TemporaryFailure) as caught:
                    await house.keeper.token(KEY)
                waits.append(caught.value.retry_after_s)
                asked = [house.keeper.token(KEY) for _ in range(10)]
                refused = await asyncio.gather(*asked, return_exceptions=True)
                assert all(isinstance(each, TemporaryFailure) for each in refused)
                clock.advance(caught.value.retry_after_s or 0)
            assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
            assert house.desk.count == 9

    run(body())


@pytest.mark.parametrize("failure", [PermanentFailure("wrong password"), AuthExpired("who are you")])
def test_a_refused_login_is_not_tried_again_for_minutes(
    make_store: MakeStore, clock: FakeClock, failure: Exception
) -> None:
    """Accounts are locked for trying."""

    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            house.desk.failure = failure
            with pytest.raises(type(failure)):
                await house.keeper.token(KEY)
            clock.advance(299)
            with pytest.raises(TemporaryFailure):
                await house.keeper.token(KEY)
            assert house.desk.count == 1
            assert house.seen() == [("UpstreamFailing", "login")]

    run(body())


def test_a_token_that_is_refused_at_once_again_and_again_makes_no_storm_of_logins(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            token = await house.keeper.token(KEY)
            said: set[str] = set()
            for _ in range(100):
                clock.advance(1)
                try:
                    token = await house.keeper.token(KEY, rejected=token.generation)
                except TemporaryFailure as error:
                    said.add(str(error).partition(";")[0])
            assert house.desk.count <= 7
            assert said == {"The last token was refused as soon as it was used"}, "no login has failed"

    run(body())


def test_two_failures_are_told_once_and_the_next_success_too(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            house.desk.failure = TemporaryFailure("away")
            for wait_s in (5, 10, 20):
                with pytest.raises(TemporaryFailure):
                    await house.keeper.token(KEY)
                clock.advance(wait_s)
            assert house.seen() == [("UpstreamFailing", "login")]
            house.desk.failure = None
            await house.keeper.token(KEY)
            assert house.seen() == [("UpstreamFailing", "login"), ("UpstreamBack", "login")]

    run(body())


def test_a_token_that_is_too_short_is_none(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock, desk=LoginDesk(short=True)) as house:
            with pytest.raises(Exception, match="too short"):
                await house.keeper.token(KEY)
            assert not (await house.service.token_status(NAME)).has_token

    run(body())


def test_an_error_of_the_login_that_nobody_foresaw_escapes_to_no_caller(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock, desk=LoginDesk(failure=KeyError("data"))) as house:
            with pytest.raises(TemporaryFailure, match="KeyError"):
                await house.keeper.token(KEY)

    run(body())


def test_a_token_given_by_hand_is_used_and_a_late_login_does_not_replace_it(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            house.desk.gate = asyncio.Event()
            waiting = asyncio.create_task(house.keeper.token(KEY))
            await house.desk.arrived.wait()
            await house.service.keep_token(NAME, GIVEN, ACTOR)
            house.desk.gate.set()
            assert (await waiting).value == Secret(GIVEN)
            assert (await house.keeper.token(KEY)).value == Secret(GIVEN)
            status = await house.service.token_status(NAME)
            assert (status.source, status.length) == ("manual", len(GIVEN))

    run(body())


@pytest.mark.parametrize("text", ["", "short", "has a space in it", "x" * 9000, "line\nbreak-0123456789"])
def test_what_can_be_no_token_is_refused(make_store: MakeStore, clock: FakeClock, text: str) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            with pytest.raises(InvalidField):
                await house.service.keep_token(NAME, text, ACTOR)

    run(body())


def test_a_person_may_log_in_at_once_whatever_the_pause(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock) as house:
            house.desk.failure = PermanentFailure("wrong password")
            with pytest.raises(PermanentFailure):
                await house.keeper.token(KEY)
            house.desk.failure = None
            assert (await house.service.renew_token(NAME, ACTOR)).generation == 1
            assert (await house.service.renew_token(NAME, ACTOR)).generation == 2

    run(body())


def test_changes_by_people_are_in_the_audit_log_without_the_token(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        async with a_house(store, clock) as house:
            await house.service.keep_token(NAME, GIVEN, ACTOR)
            await house.service.renew_token(NAME, ACTOR)
            await house.service.reset_breaker(NAME, ACTOR)
        log = repr(stored(store, "audit"))
        for action in ("upstream.token_given", "upstream.token_renewed", "upstream.breaker_reset"):
            assert action in log
        assert GIVEN not in log

    run(body())


def test_without_a_login_a_token_has_to_be_given(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock, has_login=False) as house:
            with pytest.raises(PermanentFailure):
                await house.keeper.token(KEY)
            await house.service.keep_token(NAME, GIVEN, ACTOR)
            assert (await house.keeper.token(KEY)).value == Secret(GIVEN)

    run(body())


def test_one_that_is_not_configured_is_quiet(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        async with a_house(make_store("access", "upstreams"), clock, is_configured=False) as house:
            with pytest.raises(PermanentFailure, match="not configured"):
                await house.keeper.token(KEY)
            await house.loop("upstreams.tokens")
            assert (house.desk.count, house.seen()) == (0, [])

    run(body())


def test_a_hub_that_stops_in_the_middle_of_a_login_gives_its_place_back(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        desk = LoginDesk(gate=asyncio.Event())
        async with a_house(store, clock, desk=desk) as first:
            waiting = asyncio.create_task(first.keeper.token(KEY))
            await desk.arrived.wait()
            await first.keeper.stop()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        async with a_house(store, clock) as second:
            assert (await second.keeper.token(KEY)).generation == 1

    run(body())


def test_a_hub_that_died_in_the_middle_of_a_login_holds_others_up_for_its_lease_only(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        until_at = clock.now() + timedelta(seconds=40)

        def died(tx: Tx) -> None:
            queries.lock(tx, KEY)
            queries.change(tx, KEY, login_holder="a hub that is gone", login_until_at=until_at)

        await store.write(died)
        async with a_house(store, clock) as house:
            waiting = asyncio.create_task(house.keeper.token(KEY))
            await asyncio.wait([waiting], timeout=0.05)
            assert (waiting.done(), house.desk.count) == (False, 0)
            clock.advance(40)
            assert (await asyncio.wait_for(waiting, 60)).generation == 1

    run(body())


def test_two_hubs_on_one_database_log_in_once(
    make_store: MakeStore, clock: FakeClock, database_url: str | None, tmp_path: Path
) -> None:
    if database_url is None:
        pytest.skip("one hub has a SQLite file to itself")

    async def body(first: House, second: House) -> None:
        asked = [house.keeper.token(KEY) for house in (first, second) for _ in range(10)]
        assert {token.generation for token in await asyncio.gather(*asked)} == {1}
        again = [house.keeper.token(KEY, rejected=1) for house in (first, second) for _ in range(10)]
        assert {token.generation for token in await asyncio.gather(*again)} == {2}
        assert first.desk.count == 2

    async def both() -> None:
        one = make_store("access", "upstreams")
        other = open_store(tmp_path, database_url=database_url)
        desk = LoginDesk()
        try:
            async with a_house(one, clock, desk=desk) as first, a_house(other, clock, desk=desk) as second:
                await body(first, second)
        finally:
            other.close()

    run(both())


def test_a_hub_knows_the_tokens_of_all_so_that_no_text_has_them(
    make_store: MakeStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        store = make_store("access", "upstreams")
        async with a_house(store, clock) as first:
            await first.service.keep_token(NAME, GIVEN, ACTOR)
        forgetful = Known()
        monkeypatch.setattr("atalaia.upstreams.service.tokens.KNOWN", forgetful)
        async with a_house(store, clock):
            assert forgetful.scrub(f"no {GIVEN}") == "no ***"

    run(body())
