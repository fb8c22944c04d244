"""Closes that are killed between any two awaits, over the exchange's faults, and what the next process makes of them.

1. The engine works in an event loop of its own, on a real store, against the simulated exchange. At the k-th step of any of its
   tasks the loop stops for ever: nothing is cleaned up, nothing finally done, and what was under way stays so.
2. A fresh engine, with a new lease, goes on; it may be killed too. In the end it is left to work until the operation is over.
3. The exchange's own book is the judge: each leg closed once, one row of history, money equal to the last decimal.
4. The trader opens the same position again. Then the dead ones wake up and go on from where they stood, as after a pause:
   nothing may come of it.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from atalaia.core.errors import AtalaiaError
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.legs import Intent
from atalaia.integrations.binance.operations import Shown
from atalaia.integrations.binance.queries.history import TradeFilter
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.signals import RunLost
from atalaia.store.opening import open_store
from atalaia.store.store import Store
from atalaia_simulators.binance import Options
from tests.store.binance_site import Book, Site, migrated, simulating, site_on

SYMBOL: Final = "BTCUSDT"
# Of three signals, whatever the fault; beyond what a case takes nobody is killed.
MOST_STEPS: Final = 75
KILLS: Final = 2
ROUNDS: Final = 14
WHOLE_S: Final = 1.5
LONGEST_PAUSE_S: Final = 1.2
ON_ORDERS: Final = {"path": "/fapi/v1/order", "method": "POST"}

FAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "no fault": {},
    "503, done": {"order_503_done": {"value": True, "times": 2}},
    "503, not done": {"order_503_not_done": {"value": True, "times": 1}},
    "503, done later": {"late_accept_s": {"value": 0.2, "times": 1}},
    "second leg refused": {"refuse_leg": {"value": "SHORT", "code": -2019, "times": 2}},
    "timeout after acceptance": {"timeout_after_accept": {"value": 2 * WHOLE_S, "times": 1}},
    "cut after acceptance": {"cut_after_accept": {"value": True, "times": 2}},
    "clock skew": {"clock_skew_ms": 2500},
    "ban": {"ban_s": {"value": 0.2, "only": ON_ORDERS}},
    "stale price": {"stale_price_s": 8},
    "a part filled": {"partial_fill": {"value": 0.4, "times": 1}},
    "trades told late": {"unseen_s": 0.3},
}


class Fuse:
    """Burns at the step `at` of all tasks together, None: never. From then on no task makes a step, until they are let go."""

    def __init__(self, at: int | None) -> None:
        self._at = at
        self._steps = 0
        self._held: list[asyncio.Future[None]] = []
        self.is_burnt = False

    def holds(self) -> "asyncio.Future[None] | None":
        """What a task that would make a step waits for instead, if anything."""
        self._steps += 1
        if not self.is_burnt and self._steps != self._at:
            return None
        loop = asyncio.get_running_loop()
        self.is_burnt = True
        loop.stop()
        self._held.append(loop.create_future())
        return self._held[-1]

    def let_go(self) -> None:
        self._at, self.is_burnt = None, False
        for each in self._held:
            if not each.done():
                each.set_result(None)


class Counted(Coroutine[Any, Any, Any]):
    """A task's coroutine that is counted, and perhaps held, at each step."""

    def __init__(self, inner: Coroutine[Any, Any, Any], fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse
        self._step: Callable[[], Any] | None = None

    def send(self, value: Any) -> Any:
        return self._stepped(lambda: self._inner.send(value))

    def throw(self, *error: Any) -> Any:
        self._step = None
        return self._stepped(lambda: self._inner.throw(*error))

    def _stepped(self, step: Callable[[], Any]) -> Any:
        if self._step is not None:  # it was held, and has been let go
            step, self._step = self._step, None
            return step()
        future = self._fuse.holds()
        if future is None:
            return step()
        self._step = step
        future._asyncio_future_blocking = True  # as a task wants it of what it waits for
        return future

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError


@dataclass(slots=True)
class Process:
    """An engine that can be killed. `life` is what it does."""

    life: Callable[[Site], Coroutine[Any, Any, None]]
    fuse: Fuse
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def run(self, store: Store, url: str, book: Book) -> bool:
        """Whether it was killed."""

        async def main() -> None:
            async with site_on(store, url, book=book, whole_s=WHOLE_S) as site:
                await self.life(site)

        self.loop.set_task_factory(self._task)
        task = self.loop.create_task(main())
        task.add_done_callback(_stop)
        self.loop.run_forever()
        task.remove_done_callback(_stop)
        if self.fuse.is_burnt:
            return True
        task.result()
        self.loop.close()
        return False

    def wake(self) -> None:
        """It goes on as after a long pause: but its lease is another's."""
        self.fuse.let_go()
        self._run_out(within_s=3 * WHOLE_S)
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self._run_out(within_s=WHOLE_S)
        self.loop.close()

    def _run_out(self, *, within_s: float) -> None:
        self.loop.set_task_factory(None)
        waiting = [task for task in asyncio.all_tasks(self.loop) if not task.done()]
        for task in waiting:
            task.add_done_callback(_retrieved)
        if waiting:
            self.loop.run_until_complete(asyncio.wait(waiting, timeout=within_s))

    def _task(self, loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> "asyncio.Task[Any]":
        return asyncio.Task(Counted(work, self.fuse), loop=loop, **more)


def _stop(task: "asyncio.Task[None]") -> None:
    task.get_loop().stop()


def _retrieved(task: "asyncio.Task[Any]") -> None:
    if not task.cancelled():
        task.exception()


@dataclass(slots=True)
class Found:
    """What came out; the lists name the case."""

    cases: int = 0
    kills: int = 0
    by_fault: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        return not self.wrong


@dataclass(frozen=True, slots=True)
class Case:
    """`kills` are the steps at which one process after the other dies."""

    fault: str
    kills: tuple[int, ...]
    long: str = "0.100"
    short: str = "0.070"

    def __str__(self) -> str:
        return f"{self.fault}, killed at {', '.join(map(str, self.kills))}, {self.long} / {self.short}"


def random_case(chance: random.Random) -> Case:
    # Above the market's maximum of 120 a leg takes several orders.
    long, short = chance.choice([("0.100", "0.070"), ("0.100", "0.100"), ("130.5", "0.010"), ("0.003", "245")])
    kills = tuple(chance.randint(1, MOST_STEPS) for _ in range(chance.randint(1, KILLS)))
    return Case(chance.choice(sorted(FAULTS)), kills, long, short)


def every_case() -> Iterator[Case]:
    """Each fault, and with it each step of the first process, one after the other."""
    for step in range(1, MOST_STEPS + 1):
        for fault in FAULTS:
            yield Case(fault, (step,))


def run_closes(folder: Path, *, seed: int, kills: int) -> "Found":
    """First every step of every fault, as far as each goes; then others, until there were so many kills."""
    chance = random.Random(seed)
    store = open_store(folder)
    survived: set[str] = set()
    try:
        with crashing(store) as crashes:
            for case in every_case():
                before = crashes.found.kills
                if before < kills and case.fault not in survived:
                    crashes.run(case)
                    if crashes.found.kills == before:
                        survived.add(case.fault)
            while crashes.found.kills < kills:
                crashes.run(random_case(chance))
            return crashes.found
    finally:
        store.close()


@contextmanager
def crashing(store: Store) -> Iterator["Crashes"]:
    with simulating(Options(fills=2, slip_ticks=1)) as simulator:
        yield Crashes(migrated(store), simulator.url)


class Crashes:
    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self._url = url
        self.found = Found()
        self._live(self._enter)

    def run(self, case: Case) -> None:
        book = Book(fence=self.found.cases * 1000)
        operation_id = self._live(lambda site: self._prepare(site, case), book=book)
        dead: list[Process] = []
        for step in case.kills:
            process = Process(_work, Fuse(step))
            if process.run(self._store, self._url, book):
                dead.append(process)
        self._live(lambda site: until_over(site, operation_id), book=book)
        wrong = self._live(lambda site: judge(site, operation_id, case), book=book)
        book.fence += 1
        self._live(lambda site: _reopen(site, case), book=book)
        for process in dead:
            process.wake()
        wrong += [
            f"after the dead woke: {each}"
            for each in self._live(lambda site: judge(site, operation_id, case), book=book)
        ]
        if wrong:  # the next case begins without it
            self._store.write_now(lambda tx: tx.raw("DELETE FROM binance_active_operations"))
        self.found.cases += 1
        self.found.kills += len(dead)
        self.found.by_fault[case.fault] += 1
        self.found.wrong += [f"{case}: {each}" for each in wrong]

    def _live(self, act: Callable[[Site], Coroutine[Any, Any, Any]], *, book: Book | None = None) -> Any:
        async def main() -> Any:
            async with site_on(self._store, self._url, book=book, whole_s=WHOLE_S) as site:
                return await act(site)

        return asyncio.run(main())

    async def _enter(self, site: Site) -> None:
        await site.account()

    async def _prepare(self, site: Site, case: Case) -> str:
        site.simulator.made("/_sim/reset", {})
        self._store.write_now(lambda tx: tx.raw("DELETE FROM binance_gate"))  # the ban of the case before
        await _reopen(site, case)
        shown = await site.operation(SYMBOL, profit_target="1", stop_loss="1")
        # Opened a while ago: the exchange's time is reckoned, and may err by some ms, within which the funding would fall.
        self._store.write_now(lambda tx: tx.raw("UPDATE binance_active_operations SET opened_at = opened_at - 5000"))
        site.simulator.made("/_sim/funding", {SYMBOL: "0.000123"})
        site.faults(stale_price_s=60)  # the first look reads what closing costs, and decides nothing
        await site.signal()
        site.faults()
        site.faults(**FAULTS[case.fault])
        return shown.watched.operation.id


async def _reopen(site: Site, case: Case) -> None:
    site.hold(SYMBOL, long=case.long, short=case.short, long_entry="50000", short_entry="60123.4", entry="60000.1")


async def _work(site: Site) -> None:
    """A few signals, as they come; whatever goes wrong, the next one comes."""
    for _ in range(3):
        await work_once(site)
        if not await site.operations.all():
            return


async def work_once(site: Site) -> None:
    """One signal. An outage is no news: the next one comes."""
    try:
        await site.signal()
    except RunLost:
        raise
    except TemporaryFailure as error:
        await asyncio.sleep(min(error.retry_after_s or 0.0, LONGEST_PAUSE_S))
    except AtalaiaError:
        return


async def until_over(site: Site, operation_id: str, *, ahead_ms: int = 0) -> None:
    """Faults come to their end, and the exchange's clock runs ahead of ours, so that nobody waits for it."""
    for number in range(ROUNDS):
        if isinstance(await _one(site, operation_id), Trade):
            return
        if number == 2:
            site.faults()
        if number >= 2:
            site.faults(clock_skew_ms=ahead_ms + 6000 * number)
        _let_retry(site)
        await work_once(site)


def _let_retry(site: Site) -> None:
    """The pause after a refusal is over."""
    site.store.write_now(lambda tx: tx.raw("UPDATE binance_active_operations SET retry_at = NULL"))


async def _one(site: Site, operation_id: str) -> Shown | Trade | None:
    try:
        return await site.operations.one(operation_id)
    except AtalaiaError:
        return None


async def judge(site: Site, operation_id: str, case: Case) -> list[str]:
    """Against the exchange's own book; what is wrong, in words."""
    trade = await _one(site, operation_id)
    if not isinstance(trade, Trade):
        orders = await site.operations.orders(operation_id)
        return [f"not over, but {trade.watched.operation.state if trade else 'lost'}: {orders}"]
    shown = site.simulator.get("/_sim/book").json
    fills = [fill for fill in shown["fills"] if fill["symbol"] == SYMBOL]
    rows = [row for row in await site.trades.all(TradeFilter()) if row.id == operation_id]
    wrong = [] if len(rows) == 1 else [f"{len(rows)} rows of history"]
    wrong += _quantities(site, case)
    wrong += _money(trade, fills, [row for row in shown["income"] if row["kind"] == "FUNDING_FEE"])
    wrong += _orders(await site.operations.orders(operation_id), fills)
    wrong += [f"still open: {key}" for key in site.book.faults]
    return wrong


def _quantities(site: Site, case: Case) -> list[str]:
    closed, wanted = site.closed_quantity(SYMBOL), {"LONG": Decimal(case.long), "SHORT": Decimal(case.short)}
    return [] if closed == wanted else [f"closed {closed}, not {wanted}"]


def _money(trade: Trade, fills: list[dict[str, Any]], income: list[dict[str, Any]]) -> list[str]:
    gross = sum((Decimal(fill["realized_pnl"]) for fill in fills), Decimal(0))
    fees = sum((Decimal(fill["commission"]) for fill in fills), Decimal(0))
    funding = sum((Decimal(row["amount"]) for row in income), Decimal(0))
    wanted = (gross, fees, funding, gross - fees + funding)
    had = (trade.gross, trade.fees, trade.funding, trade.net)
    return [] if had == wanted else [f"money {had}, not {wanted}"]


def _orders(intents: list[Intent], fills: list[dict[str, Any]]) -> list[str]:
    booked: dict[str, Decimal] = {}
    for fill in fills:
        booked[fill["client_order_id"]] = booked.get(fill["client_order_id"], Decimal(0)) + Decimal(fill["quantity"])
    known = {intent.client_order_id: intent.executed for intent in intents if intent.executed}
    return [] if booked == known else [f"orders {known}, not {booked}"]
