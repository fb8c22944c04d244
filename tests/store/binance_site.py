"""Auto-close on a real store and the real simulator, without the hub around it: runs are given by hand."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar
from unittest.mock import patch

from atalaia.core.clock import Clock
from atalaia.core.permissions import SYSTEM, Principal
from atalaia.core.redaction import Secret
from atalaia.integrations.binance import run
from atalaia.integrations.binance.accounts import Accounts, AccountView
from atalaia.integrations.binance.exchange.client import HttpExchange, open_exchange
from atalaia.integrations.binance.exchange.port import Credentials
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.operations import NewOperation, Operations, Shown
from atalaia.integrations.binance.people import By
from atalaia.integrations.binance.run import AutoClose
from atalaia.integrations.binance.trades import Trades
from atalaia.sdk.faults import FaultReport
from atalaia.sdk.signals import RunLost, RunOutcome
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.opening import migrate_store
from atalaia.store.store import Store
from atalaia_simulators.binance import DEFAULT_KEY, DEFAULT_SECRET, InThread, Options
from tests.acceptance.calls import Client
from tests.conftest import SOURCE
from tests.fakes import FakeClock
from tests.unit.binance.ground import Ground

T = TypeVar("T")
BY = By(SYSTEM)


def credentials(api_key: str, api_secret: str) -> Credentials:
    return Credentials(Secret(api_key), Secret(api_secret))


CREDENTIALS = credentials(DEFAULT_KEY, DEFAULT_SECRET)
MIGRATIONS = SOURCE / "integrations" / "binance" / "migrations"
SEALER = Sealer([b"k" * 32])
RECV_WINDOW_MS = 400
AMPLE_S = 60.0


def migrated(store: Store) -> Store:
    migrate_store(store, [MIGRATIONS])
    return store


@dataclass(slots=True)
class Book:
    """What outlives a process beside the store: the signal's fence, open incidents, the audit log."""

    fence: int = 0
    faults: dict[str, FaultReport] = field(default_factory=dict)
    told: list[FaultReport] = field(default_factory=list)
    audit: list[tuple[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)  # runs, at once


class SiteHost(Ground):
    """sdk.integration.Host, as far as the engine uses it."""

    def __init__(self, store: Store, book: Book, base_url: str, *, clock: Clock | None = None, **settings: Any) -> None:
        super().__init__(base_url, clock=clock, **{"recv_window_ms": RECV_WINDOW_MS, **settings})
        self._store = store
        self._book = book
        self.public_url = "http://127.0.0.1:8400"

    async def read(self, unit: Callable[[Tx], T]) -> T:
        return await self._store.read(unit)

    async def write(self, unit: Callable[[Tx], T]) -> T:
        return await self._store.write(unit)

    def publish(self, topic: str, id: str = "") -> None: ...

    def audit(self, tx: Tx, *, action: str, target: str, **_rest: Any) -> None:
        tx.after_commit(lambda: self._book.audit.append((action, target)))

    def seal(self, secret: Secret, *, purpose: str) -> bytes:
        return SEALER.seal(secret.reveal(), purpose=purpose)

    def unseal(self, sealed: bytes, *, purpose: str) -> Secret:
        return Secret(SEALER.open(sealed, purpose=purpose))

    async def look_now(self, task: str, *, by: Principal) -> bool:
        assert by is SYSTEM
        self._book.asked.append(task)
        return True

    def report_fault(self, tx: Tx, fault: FaultReport) -> None:
        def report() -> None:
            if self._book.faults.setdefault(fault.key, fault) is fault:
                self._book.told.append(fault)

        tx.after_commit(report)

    def end_fault(self, tx: Tx, key: str) -> None:
        def end() -> None:
            self._book.faults.pop(key, None)

        tx.after_commit(end)


class FencedRun:
    """sdk.signals.SignalRun. A newer one makes it lost."""

    def __init__(self, store: Store, book: Book) -> None:
        book.fence += 1
        self._store = store
        self._book = book
        self.fence = book.fence
        self.id = f"run-{book.fence}"
        self.signal = "monitor-execution"
        self.source = "test"

    async def write(self, unit: Callable[[Tx], T]) -> T:
        def fenced(tx: Tx) -> T:
            if self._book.fence != self.fence:
                raise RunLost("the lease is another's")
            return unit(tx)

        return await self._store.write(fenced)


class Site:
    def __init__(self, store: Store, simulator: Client, host: SiteHost, book: Book) -> None:
        self.store = store
        self.simulator = simulator
        self.host = host
        self.book = book
        self.exchange: HttpExchange = open_exchange(host)
        self.engine = AutoClose(host, self.exchange)  # type: ignore[arg-type]  # as much of a host as it needs
        self.accounts = Accounts(host, self.exchange)  # type: ignore[arg-type]
        self.operations = Operations(host, self.exchange)  # type: ignore[arg-type]
        self.trades = Trades(host)  # type: ignore[arg-type]

    async def signal(self) -> RunOutcome:
        return await self.engine.run(FencedRun(self.store, self.book))

    async def account(self, name: str = "main", credentials: Credentials = CREDENTIALS) -> AccountView:
        return await self.accounts.add(name=name, credentials=credentials, by=BY)

    async def operation(self, symbol: str = "BTCUSDT", *, account: str = "main", **wished: Any) -> Shown:
        wished = {"profit_target": "50", "auto_close_enabled": True, **wished}
        return await self.operations.add(NewOperation(account=account, symbol=symbol, **wished), by=BY)

    def shown(self, shown: Shown) -> Awaitable[Any]:
        return self.operations.one(shown.watched.operation.id)

    def pass_s(self, seconds: float) -> None:
        """Of the one clock that both sides go by."""
        assert isinstance(self.host.clock, FakeClock)
        self.host.clock.advance(seconds)

    # -- the exchange

    def hold(
        self, symbol: str = "BTCUSDT", *, long: str = "0.010", short: str = "0.010", entry: str = "60000", **more: str
    ) -> None:
        """Both legs; `short_entry` and `long_entry` where they differ."""
        self.price(symbol, entry)
        rows = [("LONG", long, more.pop("long_entry", entry)), ("SHORT", short, more.pop("short_entry", entry))]
        placed = [
            {"symbol": symbol, "position_side": side, "quantity": quantity, "entry_price": price, **more}
            for side, quantity, price in rows
        ]
        self.simulator.made("/_sim/positions", placed)

    def price(self, symbol: str, price: str) -> None:
        self.simulator.made("/_sim/prices", {symbol: price})

    def faults(self, **faults: Any) -> None:
        self.simulator.made("/_sim/faults", faults)

    def log(self, path: str, method: str | None = None) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.simulator.get("/_sim/log").json
        return [each for each in entries if each["path"].endswith(path) and method in {None, each["method"]}]

    def book_fills(self) -> list[dict[str, Any]]:
        fills: list[dict[str, Any]] = self.simulator.get("/_sim/book").json["fills"]
        return fills

    def closed_quantity(self, symbol: str = "BTCUSDT") -> dict[str, Decimal]:
        """By the exchange's own book, of each leg."""
        found: dict[str, Decimal] = {}
        for fill in self.book_fills():
            if fill["symbol"] == symbol:
                side = fill["position_side"]
                found[side] = found.get(side, Decimal(0)) + Decimal(fill["quantity"])
        return found


Act = Callable[["Site"], Awaitable[None]]
Play = Callable[..., None]  # an Act, and perhaps settings


@contextmanager
def playing(store: Store, *, has_account: bool = True) -> Iterator[Play]:
    """Plays scenes on a site of this store and of a simulated exchange of its own.

    Both go by one clock that stands still: no request, price or ban grows old because this machine is busy.
    """
    migrated(store)
    clock = FakeClock()
    with (
        patch.object(run, "PART_WITHIN_S", AMPLE_S),
        simulating(Options(now=lambda: clock.now().timestamp())) as simulator,
    ):

        def play(act: Act, **settings: Any) -> None:
            async def main() -> None:
                async with site_on(store, simulator.url, clock=clock, whole_s=AMPLE_S, **settings) as site:
                    if has_account:
                        await site.account()
                    await act(site)

            asyncio.run(main())

        yield play


@contextmanager
def simulating(options: Options | None = None) -> Iterator[InThread]:
    simulator = InThread(options)
    simulator.start()
    try:
        yield simulator
    finally:
        simulator.close()


@asynccontextmanager
async def site_on(
    store: Store, url: str, *, book: Book | None = None, clock: Clock | None = None, **settings: Any
) -> AsyncIterator[Site]:
    host = SiteHost(store, book or Book(), url, clock=clock, **settings)
    try:
        yield Site(store, Client(url), host, host._book)
    finally:
        await host.http.aclose()


async def active(site: Site, shown: Shown) -> Shown:
    found = await site.shown(shown)
    assert isinstance(found, Shown), found
    return found


async def closed(site: Site, shown: Shown) -> Trade:
    found = await site.shown(shown)
    assert isinstance(found, Trade), found
    return found


def check_money(site: Site, trade: Trade) -> None:
    """Against the exchange's own book, to the last decimal."""
    fills = [fill for fill in site.book_fills() if fill["symbol"] == trade.symbol]
    assert trade.gross == sum(Decimal(fill["realized_pnl"]) for fill in fills)
    assert trade.fees == sum(Decimal(fill["commission"]) for fill in fills)
    assert trade.net == trade.gross - trade.fees + trade.funding
    assert len(trade.fills) == len(fills)
