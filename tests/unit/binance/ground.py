"""The exchange's client on the simulator, with the hub's ports in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from atalaia.core.clock import Clock, SystemClock
from atalaia.core.redaction import Secret
from atalaia.integrations.binance import integration
from atalaia.integrations.binance.exchange.client import HttpExchange, open_exchange
from atalaia.integrations.binance.exchange.port import Account, Credentials, Order, Side
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.outbound.memory import MemoryBreaker, MemoryCalls, MemoryTokens
from atalaia.outbound.upstream import Ports, UpstreamClient
from atalaia.sdk.upstreams import CallRecord, Upstream
from atalaia_simulators.binance import DEFAULT_KEY, DEFAULT_SECRET, InThread, Options
from tests.acceptance.calls import Client
from tests.contract.integrations.bench import values_of

T = TypeVar("T")
CREDENTIALS = Credentials(Secret(DEFAULT_KEY), Secret(DEFAULT_SECRET))


class Ground:
    """exchange.client.Ground. One client for each account, as in the hub; limits are short, so that tests are."""

    def __init__(self, base_url: str, *, clock: Clock | None = None, whole_s: float = 5.0, **settings: Any) -> None:
        self.clock = clock or SystemClock()
        self.calls = MemoryCalls()
        self.http = HttpClient(Guard(allow_private=True))
        self.breaker = MemoryBreaker(clock=self.clock, longest_pause_s=2.0)
        self._settings = values_of(integration.manifest.settings, {"base_url": base_url, **settings})
        self._declared = replace(integration.upstreams[0], connect_s=whole_s, read_s=whole_s, whole_s=whole_s)
        self._clients: dict[str, UpstreamClient] = {}

    def setting(self, name: str) -> Any:
        return self._settings[name]

    def upstream(self, name: str, account: str = "default") -> Upstream:
        assert name == self._declared.name
        if account not in self._clients:
            ports = Ports(MemoryTokens(None, clock=self.clock), self.breaker, self.calls)
            self._clients[account] = UpstreamClient(
                self._declared,
                http=self.http,
                ports=ports,
                clock=self.clock,
                account=account,
                trust=lambda: Trust.CONFIGURED,
            )
        return self._clients[account]


class World:
    """The exchange, the simulator behind it, and the ground between them."""

    def __init__(self, exchange: HttpExchange, simulator: Client, ground: Ground) -> None:
        self.exchange = exchange
        self.simulator = simulator
        self.ground = ground
        self.account: Account = exchange.account("main", CREDENTIALS)

    def faults(self, **faults: Any) -> None:
        self.simulator.made("/_sim/faults", faults)

    def hold(self, *, symbol: str = "BTCUSDT", long: str = "0.010", short: str = "0.010") -> None:
        """Both legs, at 60000."""
        self.simulator.made("/_sim/prices", {symbol: "60000"})
        rows = [("LONG", long), ("SHORT", short)]
        self.simulator.made(
            "/_sim/positions",
            [{"symbol": symbol, "position_side": side, "quantity": q, "entry_price": "60000"} for side, q in rows],
        )

    def log(self, path: str) -> list[dict[str, Any]]:
        """The requests that arrived at an address that ends so."""
        rows: list[dict[str, Any]] = self.simulator.get("/_sim/log").json
        return [row for row in rows if row.get("path", "").endswith(path)]

    def fills(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.simulator.get("/_sim/book").json["fills"]
        return found

    def records(self, operation: str) -> list[CallRecord]:
        return [call for call in self.ground.calls.calls if call.operation == operation]


def closing(side: Side = Side.LONG, quantity: str = "0.010", client_order_id: str = "op1-L-1") -> Order:
    return Order(symbol="BTCUSDT", side=side, quantity=Decimal(quantity), client_order_id=client_order_id)


@contextmanager
def simulating(options: Options | None = None) -> Iterator[str]:
    simulator = InThread(options or Options())
    simulator.start()
    try:
        yield simulator.url
    finally:
        simulator.close()


@asynccontextmanager
async def opened(url: str, *, at: str | None = None, **given: Any) -> AsyncIterator[World]:
    """`at`: where the integration believes the exchange to be, if not at `url`."""
    ground = Ground(at or url, **given)
    try:
        yield World(open_exchange(ground), Client(url), ground)
    finally:
        await ground.http.aclose()


def in_world(act: Callable[[World], Awaitable[T]], *, options: Options | None = None, **given: Any) -> T:
    async def main(url: str) -> T:
        async with opened(url, **given) as world:
            return await act(world)

    with simulating(options) as url:
        return asyncio.run(main(url))
