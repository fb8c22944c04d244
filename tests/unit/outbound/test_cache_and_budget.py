import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from atalaia.outbound.budget import RetryBudget
from atalaia.outbound.cache import Cache
from atalaia.sdk.failures import TemporaryFailure
from tests.fakes import FakeClock


class Source:
    """What is fetched: a number that grows, or a failure."""

    def __init__(self) -> None:
        self.count = 0
        self.is_failing = False
        self.gate: asyncio.Event | None = None

    async def fetch(self) -> int:
        self.count += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.is_failing:
            raise TemporaryFailure("down")
        return self.count


def _run(body: Coroutine[Any, Any, None]) -> None:
    asyncio.run(body)


def test_a_fresh_value_is_not_fetched_again(clock: FakeClock) -> None:
    async def run() -> None:
        cache, source = Cache(clock), Source()
        await cache.get("k", source.fetch, fresh_s=10, stale_s=60)
        clock.advance(9)
        again = await cache.get("k", source.fetch, fresh_s=10, stale_s=60)
        assert (again.value, again.age_s, again.is_stale) == (1, 9, False)
        clock.advance(1)
        assert (await cache.get("k", source.fetch, fresh_s=10, stale_s=60)).value == 2

    _run(run())


def test_on_failure_the_last_good_value_is_given_with_its_age_and_the_reason(clock: FakeClock) -> None:
    async def run() -> None:
        cache, source = Cache(clock), Source()
        await cache.get("k", source.fetch, fresh_s=10, stale_s=60)
        source.is_failing = True
        clock.advance(30)
        stale = await cache.get("k", source.fetch, fresh_s=10, stale_s=60)
        assert (stale.value, stale.age_s, stale.is_stale, stale.error) == (1, 30, True, "down")
        clock.advance(31)
        with pytest.raises(TemporaryFailure):
            await cache.get("k", source.fetch, fresh_s=10, stale_s=60)

    _run(run())


def test_one_fetch_serves_all_who_ask_meanwhile_and_survives_the_one_who_began_it(clock: FakeClock) -> None:
    async def run() -> None:
        cache, source = Cache(clock), Source()
        source.gate = asyncio.Event()
        asked = [asyncio.create_task(cache.get("k", source.fetch, fresh_s=10, stale_s=60)) for _ in range(5)]
        await asyncio.sleep(0)
        asked[0].cancel()
        await asyncio.sleep(0)
        source.gate.set()
        assert [found.value for found in await asyncio.gather(*asked[1:])] == [1] * 4
        assert source.count == 1

    _run(run())


def test_repeats_are_a_fifth_of_the_calls_and_never_less_than_ten_a_minute(clock: FakeClock) -> None:
    budget = RetryBudget(clock)
    assert sum(budget.take() for _ in range(50)) == 10
    clock.advance(61)
    for _ in range(100):
        budget.note_call()
    assert sum(budget.take() for _ in range(50)) == 20
    clock.advance(61)
    assert sum(budget.take() for _ in range(50)) == 10
