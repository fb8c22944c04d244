"""One operation after another, under signals, faults, kills, people and other hands, held against the exchange's own book."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from atalaia.core.errors import Conflict, NotFound
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.legs import IntentState
from atalaia.integrations.binance.model.states import RULES, State
from atalaia.integrations.binance.operations import OperationChange, Shown
from atalaia.store.store import Store
from tests.acceptance.binance_crashes import FAULTS, WHOLE_S, Fuse, Process, until_over, work_once
from tests.store.binance_site import BY, Book, Site, site_on

SYMBOL = "BTCUSDT"
LOW, HIGH = "60000", "61000"
TABLES = ("active_operations", "results", "costs", "orders", "trade_history", "events", "points", "gate")
# Those that wait for seconds are for the crash runs.
QUICK = sorted(set(FAULTS) - {"timeout after acceptance", "ban"})
STEPS: set[tuple[State, State]] = {(each.state, each.then) for each in RULES}


@dataclass(slots=True)
class Wanted:
    """What the machine knows of the operation that there is."""

    id: str
    quantities: dict[str, Decimal]
    fills_before: int
    state: State = State.ACTIVE
    by_others: set[str] = field(default_factory=set)


class OperationMachine(RuleBasedStateMachine):
    """`store` and `url` are put there by the test that runs it."""

    store: Store
    url: str

    @initialize()
    def begin(self) -> None:
        self.store.write_now(lambda tx: [tx.raw(f"DELETE FROM binance_{table}") for table in TABLES])
        self.book = Book()
        self.operation: Wanted | None = None
        self.skew_ms = 0
        self.dead: list[Process] = []
        self.live(self.reset)
        self.open(profit="gross", long="0.100", short="0.070")

    async def reset(self, site: Site) -> None:
        site.simulator.made("/_sim/reset", {})
        if not await site.accounts.all():
            await site.account()

    def teardown(self) -> None:
        if not hasattr(self, "operation"):
            return
        self.operation_is_over()
        self.book.fence += 1
        for process in self.dead:
            process.wake()

    def operation_is_over(self) -> None:
        """Left to itself, with a target that is reached, every operation that is begun comes to its end."""
        operation = self.operation
        if operation is None or operation.state is State.ACTIVE:
            return
        self.live(lambda site: until_over(site, operation.id, ahead_ms=self.skew_ms))
        self.the_books_agree()
        assert self.operation is None or self.operation.state is State.ACTIVE

    def live(self, act: Callable[[Site], Awaitable[Any]]) -> Any:
        async def main() -> Any:
            async with site_on(self.store, self.url, book=self.book, whole_s=WHOLE_S) as site:
                return await act(site)

        return asyncio.run(main())

    # -- people

    @precondition(lambda self: self.operation is None)
    @rule(
        profit=st.sampled_from(["gross", "net"]),
        long=st.sampled_from(["0.100", "125"]),
        short=st.sampled_from(["0.070", "0.100"]),
    )
    def open(self, profit: str, long: str, short: str) -> None:
        async def act(site: Site) -> Wanted:
            site.hold(SYMBOL, long=long, short=short, entry=LOW, short_entry=LOW, long_entry=LOW)
            shown = await site.operation(SYMBOL, profit_target="10", gross=profit == "gross")
            quantities = {"LONG": Decimal(long), "SHORT": Decimal(short)}
            return Wanted(shown.watched.operation.id, quantities, len(site.book_fills()))

        self.operation = self.live(act)

    def ask(self, call: Callable[[Site, str], Awaitable[Any]]) -> bool:
        """Whether it was done: one that is being closed can't be changed."""
        operation = self.operation
        assert operation is not None
        try:
            self.live(lambda site: call(site, operation.id))
        except Conflict:
            assert operation.state is not State.ACTIVE
            return False
        except NotFound:
            raise AssertionError("an operation is lost") from None
        assert operation.state is State.ACTIVE
        return True

    @precondition(lambda self: self.operation is not None)
    @rule(is_enabled=st.booleans())
    def stop_or_start(self, is_enabled: bool) -> None:
        self.ask(lambda site, id_: site.operations.change(id_, OperationChange(auto_close_enabled=is_enabled), by=BY))

    @precondition(lambda self: self.operation is not None)
    @rule()
    def close_now(self) -> None:
        self.ask(lambda site, id_: site.operations.close_now(id_, by=BY))

    @precondition(lambda self: self.operation is not None)
    @rule()
    def give_up(self) -> None:
        if self.ask(lambda site, id_: site.operations.remove(id_, by=BY)):
            self.operation = None

    @precondition(lambda self: self.operation is not None)
    @rule(side=st.sampled_from(["LONG", "SHORT"]))
    def somebody_closes_a_leg(self, side: str) -> None:
        assert self.operation is not None
        self.operation.by_others.add(side)
        placed = {"symbol": SYMBOL, "position_side": side, "quantity": "0"}
        self.live(lambda site: asyncio.to_thread(site.simulator.made, "/_sim/positions", placed))

    # -- the exchange

    @rule(price=st.sampled_from([LOW, HIGH]))
    def price_moves(self, price: str) -> None:
        self.live(lambda site: asyncio.to_thread(site.price, SYMBOL, price))

    @rule(fault=st.sampled_from(QUICK))
    def fault(self, fault: str) -> None:
        def strike(site: Site) -> None:
            site.faults()
            site.faults(clock_skew_ms=self.skew_ms)
            wanted = dict(FAULTS[fault])
            if "clock_skew_ms" in wanted:
                self.skew_ms += 2500
                wanted["clock_skew_ms"] = self.skew_ms
            site.faults(**wanted)

        self.live(lambda site: asyncio.to_thread(strike, site))

    @rule()
    def time_passes(self) -> None:
        """By the exchange's clock, and a pause after a refusal is over."""
        self.skew_ms += 4000
        self.store.write_now(lambda tx: tx.raw("UPDATE binance_active_operations SET retry_at = NULL"))
        self.live(lambda site: asyncio.to_thread(site.faults, clock_skew_ms=self.skew_ms))

    # -- signals

    @rule(kill=st.none() | st.integers(1, 45))
    def signal(self, kill: int | None) -> None:
        process = Process(work_once, Fuse(kill))
        if process.run(self.store, self.url, self.book):
            self.dead.append(process)

    @precondition(lambda self: self.dead)
    @rule()
    def a_dead_one_wakes(self) -> None:
        self.book.fence += 1
        self.dead.pop(0).wake()

    # -- what must always hold

    @invariant()
    def the_books_agree(self) -> None:
        operation = getattr(self, "operation", None)
        if operation is not None:
            self.live(lambda site: self.compare(site, operation))

    async def compare(self, site: Site, wanted: Wanted) -> None:
        fills = site.book_fills()[wanted.fills_before :]
        closed = {side: total(fills, side) for side in wanted.quantities}
        assert all(closed[side] <= quantity for side, quantity in wanted.quantities.items()), "closed twice"
        shown = await site.operations.one(wanted.id)
        orders = await site.operations.orders(wanted.id)
        known = {side: sum(o.executed for o in orders if o.side.value == side) for side in wanted.quantities}
        assert all(known[side] <= closed[side] for side in closed), "made up"
        state = shown.watched.operation.state if isinstance(shown, Shown) else State.CLOSED
        assert can_become(wanted.state, state), (wanted.state, state)
        wanted.state = state
        if state is State.ACTIVE:
            assert not any(closed.values()), "something was done, and it is active"
            assert not any(order.state is IntentState.OPEN for order in orders)
        if isinstance(shown, Trade):
            self.check_trade(shown, wanted, fills, closed)

    def check_trade(
        self, trade: Trade, wanted: Wanted, fills: list[dict[str, Any]], closed: dict[str, Decimal]
    ) -> None:
        assert trade.gross == sum(Decimal(fill["realized_pnl"]) for fill in fills)
        assert trade.fees == sum(Decimal(fill["commission"]) for fill in fills)
        for side, quantity in wanted.quantities.items():
            assert closed[side] == quantity or side in wanted.by_others, (side, closed, quantity)
        self.operation = None


def total(fills: list[dict[str, Any]], side: str) -> Decimal:
    return sum((Decimal(fill["quantity"]) for fill in fills if fill["position_side"] == side), Decimal(0))


def can_become(before: State, after: State) -> bool:
    """By one step of the table after another."""
    reached, new = {before}, {before}
    while new:
        new = {then for state, then in STEPS if state in new} - reached
        reached |= new
    return after in reached
