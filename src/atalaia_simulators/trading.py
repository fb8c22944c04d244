"""Operations of the demo on the simulated exchange: one goes to its target, one to its stop-loss, others come and go."""

import http.client
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from atalaia_simulators.binance.exchange import DEFAULT_KEY, DEFAULT_SECRET
from atalaia_simulators.furnishing import TIMEOUT_S, Api, Refused

SIGNAL: Final = "monitor-execution"
START_S: Final = 30
_ACCOUNT: Final = "Demo"
_PATH_S: Final = 3600
_STEP_S: Final = 2
# Symbol: LONG and SHORT with quantity and entry, and what is wished.
OPERATIONS: Final[Mapping[str, tuple[tuple[str, str], tuple[str, str], Mapping[str, Any]]]] = {
    "BTCUSDT": (
        ("0.200", "60000"),
        ("0.100", "60100"),
        {"name": "Grade BTC", "profit_target": "35", "stop_loss": "120"},
    ),
    "ETHUSDT": (("4", "3000"), ("3", "3010"), {"name": "ETH hedge", "profit_target": "60"}),
    "SOLUSDT": (("100", "150"), ("60", "150.5"), {"name": "Teste SOL", "profit_target": "10", "dry_run": True}),
    "ADAUSDT": (("5000", "0.4500"), ("2000", "0.4505"), {"name": "ADA", "profit_target": "90", "stop_loss": "20"}),
    "DOGEUSDT": (("9000", "0.1500"), ("5000", "0.1510"), {"profit_target": "40", "trailing": "5", "gross": True}),
    "XRPUSDT": (("900", "0.61"), ("900", "0.60"), {"name": "XRP", "profit_target": "25", "auto_close_enabled": False}),
    "LINKUSDT": (("50", "14.80"), ("50", "15.10"), {"name": "LINK", "profit_target": "5"}),
}


@dataclass(frozen=True, slots=True)
class Exchange:
    """The simulator at its address."""

    url: str

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 80

    def tell(self, name: str, value: Any) -> None:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_S)
        try:
            connection.request("POST", f"/_sim/{name}", body=json.dumps(value))
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:  # noqa: PLR2004 - RFC 9110
            raise Refused(f"/_sim/{name}: {answer.status} {said.decode(errors='replace')}")

    def await_start(self) -> None:
        """Raises: OSError: it is not there in time."""
        until = time.monotonic() + START_S
        while True:
            try:
                return self.tell("faults", {})
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)


def start_trading(app: Api, exchange: Exchange) -> None:
    """`app` may write signals and trade."""
    try:
        exchange.await_start()
        exchange.tell("positions", [leg for symbol in OPERATIONS for leg in _legs(symbol)])
        app.post("/api/signals", {"name": SIGNAL, "task": "binance.auto_close", "min_interval_s": 1.5})
        account = {"name": _ACCOUNT, "api_key": DEFAULT_KEY, "api_secret": DEFAULT_SECRET}
        app.post("/api/binance/accounts", account)
        for symbol, (_, _, wishes) in OPERATIONS.items():
            wanted = {"account": _ACCOUNT, "symbol": symbol, "auto_close_enabled": True, **wishes}
            app.post("/api/binance/operations", wanted)
        exchange.tell("price_path", {symbol: path_of(price) for symbol, price in _PRICES.items()})
    except (OSError, Refused):  # the demo is being ended
        return


def _legs(symbol: str) -> list[dict[str, str]]:
    long, short, _ = OPERATIONS[symbol]
    return [
        {"symbol": symbol, "position_side": side, "quantity": quantity, "entry_price": entry}
        for side, (quantity, entry) in (("LONG", long), ("SHORT", short))
    ]


def path_of(price: Callable[[float], float]) -> Sequence[tuple[float, str]]:
    """An hour of prices, by the seconds since its beginning."""
    return [(second, f"{price(second):.4f}") for second in range(0, _PATH_S, _STEP_S)]


def _ramp(second: float, *, until_s: float) -> float:
    return min(1.0, second / until_s)


def _wave(second: float, period_s: float) -> float:
    return math.sin(second / period_s * 2 * math.pi)


# BTC is at its target within a minute, ADA at its stop-loss after two; the others swing.
_PRICES: Final[Mapping[str, Callable[[float], float]]] = {
    "BTCUSDT": lambda s: 60_000 + 400 * _ramp(s, until_s=60) + 15 * _wave(s, 9),
    "ETHUSDT": lambda s: 3_000 + 12 * _wave(s, 90),
    "SOLUSDT": lambda s: 150 + 0.8 * _ramp(s, until_s=40) + 0.05 * _wave(s, 13),
    "ADAUSDT": lambda s: 0.45 - 0.01 * _ramp(s, until_s=150) + 0.0002 * _wave(s, 11),
    "DOGEUSDT": lambda s: 0.15 + 0.002 * _wave(s, 240),
}
