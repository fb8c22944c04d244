"""Prices of the simulated exchange: steady, set, on a path, and stale."""

from decimal import Decimal

from atalaia_simulators.binance.prices import Prices
from tests.unit.simulators.binance.trader import Trader

PREMIUM = "/fapi/v1/premiumIndex"


def test_a_path_is_followed_by_the_second_and_its_end_stays() -> None:
    now = 100.0
    prices = Prices({"BTCUSDT": Decimal(1)}, now=lambda: now)
    prices.follow("BTCUSDT", [(5, Decimal("2.5")), (2, Decimal(2))])
    found = {}
    for now in (100.0, 101.9, 102.0, 104.9, 105.0, 900.0):
        found[now - 100] = prices.at("BTCUSDT")
    assert list(found.values()) == [Decimal(1), Decimal(1), Decimal(2), Decimal(2), Decimal("2.5"), Decimal("2.5")]
    prices.set("BTCUSDT", Decimal(7))
    assert prices.at("BTCUSDT") == 7


def test_prices_are_of_all_symbols_or_of_one(trader: Trader) -> None:
    every = trader.ask(PREMIUM).body
    one = trader.ask(f"{PREMIUM}?symbol=ETHUSDT").body
    assert one["markPrice"] == "3000.00000000"
    assert {row["symbol"] for row in every} == {
        row["symbol"] for row in trader.ask("/fapi/v1/exchangeInfo").body["symbols"]
    }
    assert trader.ask(f"{PREMIUM}?symbol=NONEUSDT").code == -1121


def test_a_set_price_is_exact_and_there_at_once(trader: Trader) -> None:
    trader.control("prices", {"BTCUSDT": "64123.4567", "ETHUSDT": 3111.5})
    assert trader.ask(f"{PREMIUM}?symbol=BTCUSDT").body["markPrice"] == "64123.45670000"
    assert trader.ask("/fapi/v1/ticker/price?symbol=ETHUSDT").body["price"] == "3111.5"


def test_a_scripted_path_can_be_sent(trader: Trader) -> None:
    assert trader.control("price_path", {"BTCUSDT": [[0, "61000"], [3600, "62000"]]}).status == 200
    assert trader.ask("/_sim/prices").body["BTCUSDT"] == "61000"


def test_a_steady_price_is_fresh_all_the_same(trader: Trader) -> None:
    before_ms = trader.now_ms()
    assert before_ms <= trader.ask(f"{PREMIUM}?symbol=BTCUSDT").body["time"] <= trader.now_ms()


def test_a_stale_price_says_so_by_its_time(trader: Trader) -> None:
    trader.control("faults", {"stale_price_s": {"value": 30, "times": 1, "only": {"symbol": "BTCUSDT"}}})
    ages = {row["symbol"]: trader.now_ms() - row["time"] for row in trader.ask(PREMIUM).body}
    assert ages["BTCUSDT"] >= 30_000
    assert ages["ETHUSDT"] < 5_000
    assert trader.now_ms() - trader.ask(f"{PREMIUM}?symbol=BTCUSDT").body["time"] < 5_000


def test_nonsense_is_refused_and_changes_nothing(trader: Trader) -> None:
    wrong = [
        ("prices", {"ETHUSDT": "1", "BTCUSDT": "-3"}),
        ("prices", {"ETHUSDT": "1", "NONEUSDT": "3"}),
        ("prices", {"ETHUSDT": "NaN"}),
        ("prices", ["ETHUSDT"]),
        ("price_path", {"ETHUSDT": [["soon", "1"]]}),
        ("positions", {"symbol": "ETHUSDT", "position_side": "UP", "quantity": "1"}),
        ("positions", {"symbol": "ETHUSDT", "position_side": "LONG", "quantity": "0.00001"}),
        ("positions", {"symbol": "ETHUSDT", "position_side": "LONG", "quantity": "1", "api_key": "nobody"}),
        ("positions", {"symbol": "ETHUSDT", "position_side": "LONG"}),
        ("accounts", {"api_key": "without a secret"}),
    ]
    before = (trader.ask("/_sim/prices").body, trader.book())
    assert [trader.control(name, value).status for name, value in wrong] == [400] * len(wrong)
    assert (trader.ask("/_sim/prices").body, trader.book()) == before
