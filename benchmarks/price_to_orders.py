"""From the mark price that crosses the target to both orders accepted: 200 operations on 20 accounts, 50 ms answers, a signal every 2 s.

A price crosses for 20 operations at once, one of each account, at ten instants spread evenly over the interval; each leg's order
is taken as accepted when the exchange's own book has its fill. The exchange's limit on requests is lifted, so that what closing
costs is read within seconds and not minutes; the hub then reads the positions with every run, which is the slower way.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any

from tests.acceptance.calls import Client
from tests.servers import wait_until

from atalaia_simulators.binance import InThread, Options
from benchmarks.figures import Figure, percentile
from benchmarks.hub import BenchHub, make_key, running_hub

ACCOUNTS = 20
SYMBOLS = ("BTC", "ETH", "BNB", "SOL", "XRP", "ADA", "DOGE", "LTC", "LINK", "AVAX")
INTERVAL_S = 2.0
ANSWER_MS = 50
TARGET_S = INTERVAL_S + 0.3
SIGNAL = "monitor-execution"
NAME = "price crossing the target to both orders accepted"


def run() -> Sequence[Figure]:
    with simulating() as exchange, running_hub(settings={"ATALAIA_BINANCE_BASE_URL": exchange.url}) as hub:
        enter(hub, exchange)
        with signalling(hub) as began_at:
            wait_until(lambda: is_ready(hub), what="what closing costs", timeout_s=60)
            exchange.made("/_sim/faults", {"answer_delay_ms": ANSWER_MS})
            took_s = [each for number in range(len(SYMBOLS)) for each in crossing(exchange, number, began_at)]
    p50, p99 = percentile(took_s, 0.5), percentile(took_s, 0.99)
    note = f"{len(took_s)} operations on {ACCOUNTS} accounts, {ANSWER_MS} ms answers, a signal every {INTERVAL_S:g} s"
    return [
        Figure(f"{NAME}: p50", p50, "s", note=note),
        Figure(f"{NAME}: p99", p99, "s", target=f"≤ {TARGET_S:g} s", met=p99 <= TARGET_S, note="an interval + 300 ms"),
    ]


@contextmanager
def simulating() -> Iterator[Client]:
    simulator = InThread(Options(weight_limit=100_000))
    simulator.start()
    try:
        yield Client(simulator.url)
    finally:
        simulator.close()


def enter(hub: BenchHub, exchange: Client) -> None:
    """Accounts, positions of both legs that bring nothing yet, operations."""
    key = make_key(hub.data_dir, "desk", ["trading"])
    desk = Client(hub.url, key)
    prices: dict[str, str] = exchange.get("/_sim/prices").json
    for number in range(ACCOUNTS):
        credentials = {"api_key": f"benchmark-key-{number:02}", "api_secret": f"benchmark-secret-{number:02}"}
        exchange.made("/_sim/accounts", {**credentials, "balance": "10000000"})
        for name in symbols():
            legs = [("LONG", "100"), ("SHORT", "90")]
            position = {"api_key": credentials["api_key"], "symbol": name, "entry_price": prices[name]}
            placed = [{**position, "position_side": side, "quantity": quantity} for side, quantity in legs]
            exchange.made("/_sim/positions", placed)
        desk.made("/api/binance/accounts", {"name": f"a{number}", **credentials})
        for name in symbols():
            target = str(target_of(prices[name]))
            wished = {"account": f"a{number}", "symbol": name, "profit_target": target, "auto_close_enabled": True}
            desk.made("/api/binance/operations", wished)


def symbols() -> Sequence[str]:
    return [f"{base}USDT" for base in SYMBOLS]


def target_of(price: str) -> float:
    """Reached when the price has doubled, not before."""
    return round(float(price) * 9, 2)


@contextmanager
def signalling(hub: BenchHub) -> Iterator[float]:
    """A signal every interval without drift, as the signaller sends them; gives when the first one was sent."""
    hub.call("POST", "/api/signals", {"name": SIGNAL, "task": "binance.auto_close", "min_interval_s": 1.5})
    key = make_key(hub.data_dir, "signaller", [f"signal:{SIGNAL}"])
    stop, began_at = threading.Event(), time.monotonic()

    def send() -> None:
        connection, number = HTTPConnection("127.0.0.1", hub.port, timeout=10), 0
        while not stop.wait(max(0.0, began_at + number * INTERVAL_S - time.monotonic())):
            connection.request("POST", f"/api/signals/{SIGNAL}", headers={"x-monitor-key": key})
            connection.getresponse().read()
            number += 1
        connection.close()

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    try:
        yield began_at
    finally:
        stop.set()
        thread.join(10)


def is_ready(hub: BenchHub) -> bool:
    desk = Client(hub.url, hub.key)
    found: list[dict[str, Any]] = desk.items("/api/binance/operations")
    return len(found) == ACCOUNTS * len(SYMBOLS) and all(each["current_pnl"] is not None for each in found)


def crossing(exchange: Client, number: int, began_at: float) -> list[float]:
    """Seconds for each account's operation on the symbol `number`."""
    name = symbols()[number]
    price: str = exchange.get("/_sim/prices").json[name]
    phase_s = (number + 0.5) / len(SYMBOLS) * INTERVAL_S
    since_s = time.monotonic() - began_at
    time.sleep((phase_s - since_s) % INTERVAL_S)
    crossed_at = time.time()
    exchange.made("/_sim/prices", {name: str(2 * float(price))})
    wait_until(lambda: len(legs_of(exchange, name)) == 2 * ACCOUNTS, what="all orders", timeout_s=30)
    last: dict[str, float] = {}
    for (api_key, _), at in legs_of(exchange, name).items():
        last[api_key] = max(last.get(api_key, 0.0), at)
    return [at - crossed_at for at in last.values()]


def legs_of(exchange: Client, name: str) -> dict[tuple[str, str], float]:
    """By account and leg: when it was closed, in seconds since the epoch."""
    fills: list[dict[str, Any]] = exchange.get("/_sim/book").json["fills"]
    return {(f["api_key"], f["position_side"]): f["at"] / 1000 for f in fills if f["symbol"] == name}
