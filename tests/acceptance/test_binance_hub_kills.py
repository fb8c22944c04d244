"""A hub that is killed −9 while operations are being closed, with signals that go on, judged by the exchange's own book."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.client import HTTPException
from typing import Any

import pytest

from atalaia_simulators.binance import DEFAULT_KEY, DEFAULT_SECRET
from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.servers import wait_until
from tests.store.binance_site import simulating

SEED = 20261122
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT")
LONG, SHORT = "12", "7"
LATEST_KILL_S = 0.5
SIGNAL = "monitor-execution"
FAULTS: tuple[dict[str, Any], ...] = (
    {"order_503_done": {"value": True, "times": 1}},
    {"order_503_not_done": {"value": True, "times": 1}},
    {"refuse_leg": {"value": "SHORT", "times": 2}},
    {"cut_after_accept": {"value": True, "times": 1}},
)


@contextmanager
def signalling(hub: Hub) -> Iterator[None]:
    """Every 0.2 s at the kept address, whether the hub is there or not."""
    done = hub.cli("signal", "create", SIGNAL, "--task", "binance.auto_close", "--min-interval", "0.1")
    assert done.returncode == 0, done.stderr
    client, stop = Client(hub.url, hub.make_key(f"signal:{SIGNAL}")), threading.Event()

    def send() -> None:
        while not stop.wait(0.2):
            try:
                client.request("POST", "/functions/v1/monitor-execution", body=b'{"source": "vps-monitor"}')
            except (OSError, HTTPException):  # it may be killed in the middle of an answer
                continue

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def enter(hub: Hub, exchange: Client) -> None:
    desk = hub.client("trading")
    desk.made("/api/binance/accounts", {"name": "main", "api_key": DEFAULT_KEY, "api_secret": DEFAULT_SECRET})
    prices: dict[str, str] = exchange.get("/_sim/prices").json
    for symbol in SYMBOLS:
        legs = [{"position_side": "LONG", "quantity": LONG}, {"position_side": "SHORT", "quantity": SHORT}]
        placed = [{"symbol": symbol, "entry_price": prices[symbol], **leg} for leg in legs]
        exchange.made("/_sim/positions", placed)
        wished = {"account": "main", "symbol": symbol, "profit_target": "10", "auto_close_enabled": True, "gross": True}
        desk.made("/api/binance/operations", wished)


def operations(hub: Hub) -> list[dict[str, Any]]:
    return hub.client("trading").items("/api/binance/operations")


@pytest.mark.timeout(900)
def test_every_operation_is_closed_once_whenever_its_hub_is_killed(make_hub: MakeHub) -> None:
    chance = random.Random(SEED)
    with simulating() as simulator:
        exchange = Client(simulator.url)
        env = {
            "ATALAIA_BINANCE_BASE_URL": simulator.url,
            "ATALAIA_BINANCE_RECV_WINDOW_MS": "1000",
            "ATALAIA_SIGNALS_LEASE_S": "2",
        }
        hub = make_hub(env=env).start()
        enter(hub, exchange)
        # Opened a while ago: the exchange's time is reckoned, and may err by what an answer took, within which the funding would fall.
        hub._write(lambda tx: tx.raw("UPDATE binance_active_operations SET opened_at = opened_at - 60000"))
        exchange.made("/_sim/faults", {"answer_delay_ms": 20})
        with signalling(hub):
            exchange.made("/_sim/funding", dict.fromkeys(SYMBOLS, "0.0001"))
            for symbol, fault in zip(SYMBOLS, FAULTS, strict=True):
                exchange.made("/_sim/faults", fault)
                price = Decimal(exchange.get("/_sim/prices").json[symbol])
                exchange.made("/_sim/prices", {symbol: str(2 * price)})
                time.sleep(chance.uniform(0, LATEST_KILL_S))  # the moment of the kill, not a wait for something
                hub.kill()
                hub.start()
            wait_until(lambda: operations(hub) == [], what="the end of all operations", timeout_s=120)
        trades = {trade["symbol"]: trade for trade in hub.client("trading").items("/api/binance/history")}
        book = exchange.get("/_sim/book").json
    assert sorted(trades) == sorted(SYMBOLS)
    for symbol in SYMBOLS:
        check(trades[symbol], [fill for fill in book["fills"] if fill["symbol"] == symbol], book["income"])


def check(trade: dict[str, Any], fills: list[dict[str, Any]], income: list[dict[str, Any]]) -> None:
    closed = {side: total(fills, "quantity", position_side=side) for side in ("LONG", "SHORT")}
    assert closed == {"LONG": Decimal(LONG), "SHORT": Decimal(SHORT)}, trade["symbol"]
    gross, fees = total(fills, "realized_pnl"), total(fills, "commission")
    funding = total(income, "amount", symbol=trade["symbol"], kind="FUNDING_FEE")
    told = {name: Decimal(trade[name]) for name in ("realised", "fees", "funding", "net")}
    assert told == {"realised": gross, "fees": fees, "funding": funding, "net": gross - fees + funding}, trade["symbol"]


def total(rows: list[dict[str, Any]], name: str, **only: str) -> Decimal:
    mine = [row for row in rows if all(row[key] == value for key, value in only.items())]
    return sum((Decimal(row[name]) for row in mine), Decimal(0))
