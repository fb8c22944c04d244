"""Auto-close's part of the suite that all integrations run through. It has no jobs: the suite runs what its client does."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import msgspec

from atalaia.core.clock import Clock, SystemClock
from atalaia.core.ids import new_id
from atalaia.core.redaction import Secret
from atalaia.integrations.binance import integration
from atalaia.integrations.binance.exchange.client import open_exchange
from atalaia.integrations.binance.exchange.port import Account, Credentials, Order, Side
from atalaia.sdk.jobs import JobRun, JobType
from atalaia.sdk.upstreams import Upstream
from atalaia_simulators.binance import InThread
from tests.acceptance.calls import Client
from tests.contract.integrations.bench import Subject

API_KEY = "canary-key-of-the-exchange"
API_SECRET = "canary-secret-of-the-exchange"


class Work(msgspec.Struct):
    symbol: str


class Ground:
    """exchange.client.Ground, of a job's run."""

    def __init__(self, run: JobRun) -> None:
        self._run = run
        self.clock: Clock = SystemClock()

    def setting(self, name: str) -> Any:
        return self._run.settings[name]

    def upstream(self, name: str, account: str = "default") -> Upstream:
        assert name == integration.manifest.name
        assert account in {"default", "main"}
        return self._run.upstream()


def account_of(run: JobRun) -> Account:
    return open_exchange(Ground(run)).account("main", Credentials(Secret(API_KEY), Secret(API_SECRET)))


async def look(run: JobRun) -> dict[str, int]:
    async with run.step("positions") as step:
        found = await account_of(run).positions()
        await step.note(positions=[msgspec.to_builtins(each, str_keys=True) for each in found])
    async with run.step("prices"):
        prices = await open_exchange(Ground(run)).market.prices()
    return {"positions": len(found), "prices": len(prices)}


async def close(run: JobRun) -> dict[str, str]:
    symbol = run.payload.symbol
    order = Order(symbol=symbol, side=Side.LONG, quantity=Decimal("0.001"), client_order_id=new_id())
    async with run.step("positions"):
        await account_of(run).positions()
    async with run.irreversible("close", symbol=symbol):
        report = await account_of(run).send(order)
    return {"status": report.status}


def job_type(name: str, run: Any) -> JobType:
    return JobType(
        name=name,
        title=name,
        payload=Work,
        run=run,
        runs_on="hub",
        upstream="binance",
        settings=("base_url", "restrictions_url", "recv_window_ms"),
    )


class Exchange:
    def __init__(self, simulator: InThread) -> None:
        self._client = Client(simulator.url)
        self.port = urlsplit(simulator.url).port or 0
        self._client.made("/_sim/accounts", {"api_key": API_KEY, "api_secret": API_SECRET})
        legs = [
            {"api_key": API_KEY, "symbol": "BTCUSDT", "position_side": side, "quantity": "1", "entry_price": "60000"}
            for side in ("LONG", "SHORT")
        ]
        self._client.made("/_sim/positions", legs)

    @property
    def secrets(self) -> Sequence[str]:
        return (API_KEY, API_SECRET)

    def settings(self, port: int) -> Mapping[str, Any]:
        return {"base_url": f"http://127.0.0.1:{port}"}

    def expire(self) -> None:
        """There is nothing that could: a key is good until it is taken away."""

    def change_shape(self) -> None:
        self._client.made("/_sim/faults", {"changed_shape": True})


@contextmanager
def simulate() -> Iterator[Exchange]:
    simulator = InThread()
    simulator.start()
    try:
        yield Exchange(simulator)
    finally:
        simulator.close()


SUBJECT = Subject(
    integration=integration,
    simulate=simulate,
    jobs=(("binance_look", {"symbol": "BTCUSDT"}), ("binance_close", {"symbol": "BTCUSDT"})),
    job_types=(job_type("binance_look", look), job_type("binance_close", close)),
    needs_settings=False,
)
