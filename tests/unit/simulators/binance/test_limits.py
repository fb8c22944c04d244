"""Weights, pauses and bans of the simulated exchange."""

import pytest

from atalaia_simulators.binance import Options
from atalaia_simulators.binance.errors import Refusal
from atalaia_simulators.binance.limits import Limits
from tests.unit.simulators.binance.trader import Trader

NOON = 1_795_348_800.0


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def options(clock: Clock) -> Options:
    """Its clock stands, so that a minute does not end within a test."""
    return Options(weight_limit=100, orders_10s_limit=2, orders_1m_limit=3, now=clock)


@pytest.fixture
def trader(trader: Trader, clock: Clock) -> Trader:
    trader.skew_ms = int(clock.now * 1000) - trader.now_ms()
    return trader


def test_the_weight_of_the_minute_is_told(trader: Trader) -> None:
    used = [
        trader.ask("/fapi/v1/premiumIndex").headers,
        trader.ask("/fapi/v1/premiumIndex?symbol=BTCUSDT").headers,
        trader.get("/fapi/v3/positionRisk").headers,
        trader.get("/fapi/v1/positionSide/dual").headers,
    ]
    assert [headers["X-MBX-USED-WEIGHT-1M"] for headers in used] == ["10", "11", "16", "46"]


def test_the_other_host_counts_for_itself(trader: Trader) -> None:
    headers = trader.get("/sapi/v1/account/apiRestrictions").headers
    assert headers["X-SAPI-USED-IP-WEIGHT-1M"] == "1"
    assert "X-MBX-USED-WEIGHT-1M" not in headers


def test_too_much_weight_is_paused_until_the_minute_ends(trader: Trader, clock: Clock) -> None:
    clock.now = NOON + 18.5
    statuses = [trader.ask("/fapi/v1/ticker/24hr").status for _ in range(3)]
    assert statuses == [200, 200, 429]
    answer = trader.ask("/fapi/v1/ping")
    assert (answer.status, answer.code, answer.headers["Retry-After"]) == (429, -1003, "42")
    clock.now = NOON + 60
    assert trader.ask("/fapi/v1/ping").headers["X-MBX-USED-WEIGHT-1M"] == "1"


def test_who_goes_on_all_the_same_is_banned(trader: Trader, clock: Clock) -> None:
    trader.control("faults", {"rate_limit_s": 10})
    statuses = [trader.ask("/fapi/v1/ping").status for _ in range(21)]
    assert statuses == [429] * 20 + [418]
    assert trader.ask("/fapi/v1/ping").headers["Retry-After"] == "120"
    clock.now += 119
    assert trader.ask("/fapi/v1/ping").status == 418
    clock.now += 1
    assert trader.ask("/fapi/v1/ping").status == 200


def test_orders_of_an_account_are_counted(trader: Trader, clock: Clock) -> None:
    trader.hold("LONG", "0.5")
    first, second, third = (trader.close_long("0.1") for _ in range(3))
    assert (first.headers["X-MBX-ORDER-COUNT-10S"], second.headers["X-MBX-ORDER-COUNT-1M"]) == ("1", "2")
    assert (third.status, third.code, third.headers["Retry-After"]) == (429, -1015, "10")
    assert trader.held() == {"LONG": "0.300"}
    clock.now += 10
    assert trader.get("/fapi/v1/time").status == 200


def test_a_window_begins_anew_with_each_minute() -> None:
    clock = Clock()
    limits = Limits(weight=10, orders_10s=1, orders_1m=2, now=clock)
    assert limits.charge("here", 10) == 10
    assert limits.charge("there", 3) == 3
    with pytest.raises(Refusal):
        limits.charge("here", 1)
    with pytest.raises(Refusal):
        limits.admit("here")
    clock.now += 60
    limits.admit("here")
    assert limits.charge("here", 1) == 1
