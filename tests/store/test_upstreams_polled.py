"""An upstream that is polled is tried again no later than its next turn; one that its integration tells of opens no incident here."""

import pytest

from atalaia.sdk.failures import TemporaryFailure
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.upstreams_kit import KEY, LoginDesk, a_house, run


def test_a_login_that_came_to_nothing_is_tried_again_within_the_polling_interval(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def body() -> None:
        desk = LoginDesk(failure=TemporaryFailure("502"))
        async with a_house(make_store("access", "upstreams"), clock, desk=desk, polling_interval_s=30.0) as house:
            for turn in range(1, 11):  # without a poll's interval the pause would have grown to 5 min
                with pytest.raises(TemporaryFailure):
                    await house.keeper.token(KEY)
                assert desk.count == turn
                clock.advance(30)
            desk.failure = None
            assert (await house.keeper.token(KEY)).generation == 1

    run(body())


def test_what_its_integration_tells_of_is_not_told_twice(make_store: MakeStore, clock: FakeClock) -> None:
    async def body() -> None:
        desk = LoginDesk(failure=TemporaryFailure("502"))
        async with a_house(make_store("access", "upstreams"), clock, desk=desk, is_told_by_integration=True) as house:
            for _ in range(3):
                with pytest.raises(TemporaryFailure):
                    await house.keeper.token(KEY)
                clock.advance(60)
            assert house.seen() == []

    run(body())


def test_logins_that_fail_are_not_taken_for_tokens_that_are_refused_at_once(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def body() -> None:
        desk = LoginDesk()
        async with a_house(make_store("access", "upstreams"), clock, desk=desk, polling_interval_s=1.0) as house:
            old = await house.keeper.token(KEY)
            desk.failure = TemporaryFailure("502")
            for _ in range(10):
                with pytest.raises(TemporaryFailure):
                    await house.keeper.token(KEY, rejected=old.generation)
                clock.advance(1)
            desk.failure = None
            assert (await house.keeper.token(KEY, rejected=old.generation)).generation == 2

    run(body())
