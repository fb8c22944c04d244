"""A hub with the simulated exchange behind it, for tests of auto-close: one account, legs and operations on demand."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from atalaia_simulators.binance import DEFAULT_KEY, DEFAULT_SECRET, InThread
from tests.acceptance.calls import Client
from tests.acceptance.hub import Hub, Process, environment
from tests.servers import wait_until

API: Final = "/api/binance"
SIGNAL: Final = "monitor-execution"
ACCOUNT: Final = {"name": "main", "api_key": DEFAULT_KEY, "api_secret": DEFAULT_SECRET}


class Trading:
    def __init__(self, hub: Hub, simulator_url: str) -> None:
        self.hub = hub
        self.simulator = Client(simulator_url)

    @property
    def client(self) -> Client:
        return self.hub.client("admin")

    def hold(self, symbol: str, *, long: str, short: str, quantity: str = "1", short_quantity: str = "") -> None:
        """Both legs, with their entry prices; of one size, unless the SHORT has another."""
        legs = (("LONG", long, quantity), ("SHORT", short, short_quantity or quantity))
        rows = [
            {"symbol": symbol, "position_side": side, "quantity": size, "entry_price": entry}
            for side, entry, size in legs
        ]
        assert self.simulator.post("/_sim/positions", rows).status == 200

    def price(self, **prices: str) -> None:
        assert self.simulator.post("/_sim/prices", prices).status == 200

    def price_path(self, symbol: str, *path: tuple[float, str]) -> None:
        """Seconds from now, and the price from then on."""
        assert self.simulator.post("/_sim/price_path", {symbol: path}).status == 200

    def operation(self, symbol: str, target: str, **more: Any) -> str:
        wanted = {"account": "main", "symbol": symbol, "profit_target": target, "auto_close_enabled": True, **more}
        return str(self.client.made(f"{API}/operations", wanted)["id"])

    def signal(self) -> None:
        """A look, as soon as one may begin."""
        wait_until(lambda: self.client.post(f"/api/signals/{SIGNAL}", {}).status == 202, what="a run")

    def one(self, operation_id: str) -> Any:
        return self.client.get(f"{API}/operations/{operation_id}").json

    @contextmanager
    def signaller(self, *, interval_s: float = 0.3) -> Iterator[None]:
        """A machine that says "look now", with a key for nothing else."""
        url = f"{self.hub.url}/api/signals/{SIGNAL}"
        command = [sys.executable, "-m", "atalaia_agent", "--signal-url", url, "--signal-interval-s", str(interval_s)]
        env = environment({"ATALAIA_SIGNAL_KEY": self.hub.make_key(f"signal:{SIGNAL}")})
        process = Process(command, log=self.hub.folder / "signaller.log", env=env)
        process.launch()
        try:
            yield
        finally:
            process.kill()

    def look_until(self, operation_id: str, **fields: Any) -> Any:
        """Signals, until the operation is like that; as it is then."""

        def is_so() -> bool:
            self.signal()
            found = self.one(operation_id)
            return all(found[name] == value for name, value in fields.items())

        wait_until(is_so, what=str(fields))
        return self.one(operation_id)


@contextmanager
def trading(folder: Path) -> Iterator[Trading]:
    """Signals may come as often as they like."""
    simulator = InThread()
    simulator.start()
    hub = Hub(folder, env={"ATALAIA_BINANCE_BASE_URL": simulator.url})
    try:
        hub.start()
        made = hub.cli("signal", "create", SIGNAL, "--task", "binance.auto_close", "--min-interval", "0")
        assert made.returncode == 0, made.stderr
        house = Trading(hub, simulator.url)
        house.client.made(f"{API}/accounts", ACCOUNT)
        yield house
    finally:
        hub.close()
        simulator.close()
