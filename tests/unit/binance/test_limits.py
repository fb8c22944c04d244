"""Time, weights and the gate: what the client keeps between requests."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.binance.exchange.failures import NotDone
from atalaia.integrations.binance.exchange.gate import MemoryGate
from atalaia.integrations.binance.exchange.times import RENEW_S, ServerClock
from atalaia.integrations.binance.exchange.weights import OrderCounts, UsedWeight
from tests.fakes import FakeClock

SERVER_MS = 1_700_000_000_000


class Far:
    """A server whose answer takes a while; its clock goes as ours does, from another hour."""

    def __init__(self, clock: FakeClock, *, way_s: float = 0.0) -> None:
        self._clock = clock
        self._way_s = way_s
        self.asked = 0
        self.is_away = False
        self.offset_ms = SERVER_MS - clock.monotonic() * 1000

    def now_ms(self) -> int:
        return round(self.offset_ms + self._clock.monotonic() * 1000)

    async def ask(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise NotDone("away")
        self._clock.advance(self._way_s / 2)
        said = self.now_ms()
        self._clock.advance(self._way_s / 2)
        return said


def test_time_is_asked_for_once_and_reckoned_after_that() -> None:
    clock = FakeClock()
    far = Far(clock, way_s=0.4)
    times = ServerClock(far.ask, monotonic=clock.monotonic)

    async def act() -> None:
        assert (await times.now()).ms == far.now_ms()
        clock.advance(100)
        clock.jump(-7200)  # the wall clock is set back, which changes nothing
        assert (await times.now()).ms == far.now_ms()
        assert far.asked == 1

    asyncio.run(act())


def test_time_is_asked_for_again_after_a_while_and_kept_while_nobody_answers() -> None:
    clock = FakeClock()
    far = Far(clock)
    times = ServerClock(far.ask, monotonic=clock.monotonic)

    async def act() -> None:
        await times.now()
        clock.advance(RENEW_S + 1)
        far.is_away = True
        assert (await times.now()).ms == far.now_ms()
        await times.now()
        assert far.asked == 2
        far.is_away = False
        far.offset_ms += 700
        clock.advance(RENEW_S + 1)
        assert (await times.now()).ms == far.now_ms()

    asyncio.run(act())


def test_all_who_were_refused_with_one_reading_cause_one_new_one() -> None:
    clock = FakeClock()
    far = Far(clock)
    times = ServerClock(far.ask, monotonic=clock.monotonic)

    async def act() -> None:
        reading = (await times.now()).reading
        far.offset_ms -= 60_000
        await asyncio.gather(*(times.renew(reading) for _ in range(20)))
        assert far.asked == 2
        assert (await times.now()).ms == far.now_ms()

    asyncio.run(act())


def test_without_any_reading_the_failure_is_told() -> None:
    clock = FakeClock()
    far = Far(clock)
    far.is_away = True
    times = ServerClock(far.ask, monotonic=clock.monotonic)
    with pytest.raises(NotDone):
        asyncio.run(times.now())


@given(instants=st.lists(st.tuples(st.integers(-100, 1000), st.booleans()), max_size=8))
def test_a_gate_holds_until_the_latest_instant_it_was_told(instants: list[tuple[int, bool]]) -> None:
    clock = FakeClock()
    gate = MemoryGate(clock)
    for seconds, is_ban in instants:
        gate.block(clock.now() + timedelta(seconds=seconds), is_ban=is_ban)
    last_s = max((seconds for seconds, _ in instants if seconds > 0), default=0)
    until = gate.blocked_until()
    assert until == (clock.now() + timedelta(seconds=last_s) if last_s else None)
    clock.advance(last_s)
    assert gate.blocked_until() is None
    assert not gate.is_ban


def test_a_clock_that_is_put_back_makes_no_limit_longer() -> None:
    """After a limit of ten seconds nothing was asked for an hour."""
    clock = FakeClock()
    gate = MemoryGate(clock)
    gate.block(clock.now() + timedelta(seconds=10))
    clock.jump(-3600)
    assert gate.blocked_until() == clock.now() + timedelta(seconds=10)
    gate.block(clock.now() + timedelta(seconds=5))
    clock.advance(10)
    assert gate.blocked_until() is None


def test_a_ban_stays_one_when_a_limit_makes_it_longer() -> None:
    clock = FakeClock()
    gate = MemoryGate(clock)
    gate.block(clock.now() + timedelta(seconds=10), is_ban=True)
    gate.block(clock.now() + timedelta(seconds=20))
    assert gate.is_ban


def test_a_ban_within_a_longer_limit_is_known_for_one() -> None:
    clock = FakeClock()
    gate = MemoryGate(clock)
    gate.block(clock.now() + timedelta(seconds=20))
    gate.block(clock.now() + timedelta(seconds=10), is_ban=True)
    assert gate.is_ban


def test_half_of_the_limit_is_not_under_half() -> None:
    clock = FakeClock()
    weights = UsedWeight(clock.monotonic)
    assert (weights.used(), weights.is_under_half()) == (0, True)
    weights.note({"X-MBX-USED-WEIGHT-1M": "1199"})
    assert weights.is_under_half()
    weights.note({"X-MBX-USED-WEIGHT-1M": "1200"})
    assert not weights.is_under_half()
    weights.limit = 6000
    assert weights.is_under_half()


def test_weight_is_forgotten_after_its_minute() -> None:
    clock = FakeClock()
    weights = UsedWeight(clock.monotonic)
    weights.note({"X-MBX-USED-WEIGHT-1M": "2000"})
    clock.advance(59)
    assert weights.used() == 2000
    clock.advance(2)
    assert weights.used() == 0


@pytest.mark.parametrize("text", ["", "many", "-1", "1.5", "9" * 40, "٣"])
def test_a_header_that_says_nothing_changes_nothing(text: str) -> None:
    weights = UsedWeight(FakeClock().monotonic)
    weights.note({"X-MBX-USED-WEIGHT-1M": "7"})
    weights.note({"X-MBX-USED-WEIGHT-1M": text})
    assert weights.used() == 7


@pytest.mark.parametrize(
    ("name", "count", "wait_s"), [("10S", 299, 0), ("10S", 300, 10), ("1M", 1199, 0), ("1M", 1200, 60)]
)
def test_an_account_waits_when_its_orders_are_used_up(name: str, count: int, wait_s: float) -> None:
    clock = FakeClock()
    counts = OrderCounts(clock.monotonic)
    counts.note({f"X-MBX-ORDER-COUNT-{name}": str(count)})
    assert counts.wait_s() == wait_s
    clock.advance(wait_s)
    assert counts.wait_s() == 0
