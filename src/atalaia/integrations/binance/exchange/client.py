"""The exchange over HTTP: see port.Exchange. No account waits for another; what is of the address is of all."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, Protocol

from atalaia.core.clock import Clock
from atalaia.integrations.binance.exchange.account import HttpAccount
from atalaia.integrations.binance.exchange.gate import MemoryGate
from atalaia.integrations.binance.exchange.market import HttpMarket, ask_time
from atalaia.integrations.binance.exchange.port import Account, Credentials, Gate, Market, Weights
from atalaia.integrations.binance.exchange.sending import Address, Caller
from atalaia.integrations.binance.exchange.signed import Signer
from atalaia.integrations.binance.exchange.signing import KEY_HEADER
from atalaia.integrations.binance.exchange.times import ServerClock
from atalaia.integrations.binance.exchange.weights import OrderCounts, UsedWeight
from atalaia.integrations.binance.manifest import BASE_URL, NAME, RESTRICTIONS_URL
from atalaia.sdk.upstreams import Upstream

_MARKET: Final = "default"  # the account of records and breaker for what needs none


class Ground(Protocol):
    """What of sdk.integration.Host is needed here."""

    @property
    def clock(self) -> Clock: ...

    def setting(self, name: str) -> Any: ...

    def upstream(self, name: str, account: str = "default") -> Upstream: ...


class HttpExchange:
    """Lives in one event loop. `gate` is of the futures' address; the restrictions' host has one of its own."""

    def __init__(self, ground: Ground, gate: Gate) -> None:
        monotonic = ground.clock.monotonic
        used = UsedWeight(monotonic)
        self._ground = ground
        self._gate = gate
        self._weights = used
        self._futures = Address(self._futures_url, ground.clock, gate, used)
        self._rights = Address(self._rights_url, ground.clock, MemoryGate(ground.clock), UsedWeight(monotonic))
        market = Caller(self._futures, self._upstream_of(_MARKET))
        self._times = ServerClock(lambda: ask_time(market), monotonic=monotonic)
        self._market = HttpMarket(market, self._upstream_of(_MARKET), times=self._times, weights=used)
        self._counts: dict[str, OrderCounts] = defaultdict(lambda: OrderCounts(monotonic))

    @property
    def market(self) -> Market:
        return self._market

    @property
    def weights(self) -> Weights:
        return self._weights

    @property
    def gate(self) -> Gate:
        return self._gate

    def account(self, name: str, credentials: Credentials) -> Account:
        headers = {KEY_HEADER: credentials.api_key.reveal()}
        upstream = self._upstream_of(name)
        counts = self._counts[name]
        return HttpAccount(
            Caller(self._futures, upstream, headers=headers, note=counts.note),
            Caller(self._rights, upstream, headers=headers),
            Signer(credentials, self._times, lambda: int(self._ground.setting("recv_window_ms"))),
            counts=counts,
        )

    def _upstream_of(self, account: str) -> Callable[[], Upstream]:
        return lambda: self._ground.upstream(NAME, account)

    def _futures_url(self) -> str:
        return str(self._ground.setting("base_url")).rstrip("/")

    def _rights_url(self) -> str:
        """Where only base_url is set, as for a simulation, that one has both."""
        given = str(self._ground.setting("restrictions_url")).rstrip("/")
        return given or (RESTRICTIONS_URL if self._futures_url() == BASE_URL else self._futures_url())


def open_exchange(ground: Ground, gate: Gate | None = None) -> HttpExchange:
    """Nothing is called yet."""
    return HttpExchange(ground, gate or MemoryGate(ground.clock))
