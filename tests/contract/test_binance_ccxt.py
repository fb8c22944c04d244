"""The widely used client library ccxt takes the simulated exchange for the real one: its addresses alone are changed."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from atalaia_simulators.binance import DEFAULT_KEY, DEFAULT_SECRET, InThread, Options
from tests.unit.simulators.binance.trader import Trader

SYMBOL = "BTC/USDT:USDT"


@pytest.fixture
def simulator() -> Iterator[InThread]:
    running = InThread(Options(fills=2, slip_ticks=1))
    running.start()
    yield running
    running.close()


@pytest.fixture
def trader(simulator: InThread) -> Trader:
    """Who holds both legs, to be closed by the library."""
    trader = Trader(simulator.url)
    trader.hold("LONG", "0.5", "59000")
    trader.hold("SHORT", "0.3", "61000")
    return trader


@pytest.fixture
def client(trader: Trader) -> Iterator[Any]:
    slow = {"timeout": 120_000, "options": {"recvWindow": 60_000}}  # as this machine may be
    client = ccxt.binanceusdm({"apiKey": DEFAULT_KEY, "secret": DEFAULT_SECRET, **slow})
    addresses = client.urls["api"]
    for name, address in addresses.items():
        if name.startswith(("fapi", "sapi")):
            path = address.split("/", 3)[3]
            addresses[name] = f"{trader.url}/{path}"
    yield client
    client.session.close()


def test_it_reads_both_legs(client: Any) -> None:
    found = {
        (row["side"], row["contracts"], row["entryPrice"], row["unrealizedPnl"], row["hedged"])
        for row in client.fetch_positions([SYMBOL])
    }
    assert found == {("long", 0.5, 59000.0, 500.0, True), ("short", 0.3, 61000.0, 300.0, True)}
    assert client.fetch_position_mode(SYMBOL)["hedged"] is True


def test_it_closes_both_legs_in_hedge_mode_and_reads_the_trades(client: Any, trader: Trader) -> None:
    sold = client.create_order(SYMBOL, "market", "sell", 0.5, None, {"positionSide": "LONG"})
    bought = client.create_order(
        SYMBOL, "market", "buy", 0.3, None, {"positionSide": "SHORT", "newClientOrderId": "op1-S-1"}
    )
    assert [(order["status"], order["filled"]) for order in (sold, bought)] == [("closed", 0.5), ("closed", 0.3)]
    assert bought["clientOrderId"] == "op1-S-1"
    assert client.fetch_order(sold["id"], SYMBOL)["average"] == pytest.approx(59999.95)
    assert client.fetch_positions([SYMBOL]) == []
    trades, fills = client.fetch_my_trades(SYMBOL), trader.book()["fills"]
    assert [
        (int(trade["id"]), Decimal(trade["info"]["price"]), Decimal(trade["info"]["realizedPnl"])) for trade in trades
    ] == [(fill["trade_id"], Decimal(fill["price"]), Decimal(fill["realized_pnl"])) for fill in fills]
    assert [trade["fee"] for trade in trades] == [
        {"currency": fill["commission_asset"], "cost": float(fill["commission"])} for fill in fills
    ]


def test_it_rests_and_cancels_an_order(client: Any) -> None:
    order = client.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"positionSide": "LONG"})
    assert [row["id"] for row in client.fetch_open_orders(SYMBOL)] == [order["id"]]
    assert client.cancel_order(order["id"], SYMBOL)["status"] == "canceled"
    assert client.fetch_open_orders(SYMBOL) == []


def test_it_reads_what_else_there_is(client: Any, trader: Trader) -> None:
    trader.control("funding", {"BTCUSDT": "0.0001"})
    assert client.fetch_balance()["USDT"]["total"] == pytest.approx(100_000 + 800 - 1.2)
    assert [row["amount"] for row in client.fetch_funding_history(SYMBOL)] == [-3.0, 1.8]
    assert client.fetch_trading_fee(SYMBOL)["taker"] == 0.0005
    assert client.fetch_ticker(SYMBOL)["last"] == client.fetch_funding_rate(SYMBOL)["markPrice"] == 60000.0
    assert client.set_leverage(5, SYMBOL)["leverage"] == "5"
    assert client.fetch_leverage(SYMBOL)["longLeverage"] == 5


def test_refusals_are_what_it_knows(client: Any, trader: Trader) -> None:
    with pytest.raises(ccxt.OperationRejected, match="-4061"):
        client.create_order(SYMBOL, "market", "sell", 0.5)
    with pytest.raises(ccxt.ExchangeError, match="-2022"):
        client.create_order(SYMBOL, "market", "sell", 0.6, None, {"positionSide": "LONG"})
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("1", SYMBOL)
    trader.control("faults", {"clock_skew_ms": -20_000})
    with pytest.raises(ccxt.InvalidNonce):
        client.fetch_balance()
    trader.control("faults", {"clock_skew_ms": None, "rate_limit_s": 1})
    with pytest.raises(ccxt.DDoSProtection):
        client.fetch_time()


def test_the_published_example_is_signed_alike() -> None:
    secret = "2b5eb11e18796d12d88f13dc27dbbd02c2cc51ff7059765ed9821957d82bb4d9"
    text = (
        "symbol=BTCUSDT&side=BUY&type=LIMIT&quantity=1&price=9000&timeInForce=GTC"
        "&recvWindow=5000&timestamp=1591702613943"
    )
    client = ccxt.binanceusdm({"secret": secret})
    signature = client.hmac(client.encode(text), client.encode(secret), hashlib.sha256)
    client.session.close()
    assert signature == "3c661234138461fcc7a7d8746c6558c9842d4e10870d2ecbedf7777cad694af9"
