"""A run of auto-close: on a real store, against the simulated exchange."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from atalaia.core.errors import Conflict
from atalaia.integrations.binance.model.deciding import Reason, Undecided
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.operations import Shown
from atalaia.integrations.binance.queries.history import TradeFilter
from atalaia.sdk.failures import TemporaryFailure
from atalaia_simulators.binance import InThread
from tests.conftest import MakeStore
from tests.store.binance_site import BY, Site, credentials, migrated, simulating, site_on

EVERYTHING = TradeFilter()
Act = Callable[[Site], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def simulator() -> Iterator[InThread]:
    with simulating() as made:
        yield made


@pytest.fixture
def play(make_store: MakeStore, simulator: InThread) -> Play:
    """Runs a scene on a site with one account."""
    store = migrated(make_store())

    def run(act: Act, **settings: Any) -> None:
        async def main() -> None:
            async with site_on(store, simulator.url, **settings) as site:
                await site.account()
                await act(site)

        asyncio.run(main())

    return run


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


def test_without_operations_nothing_is_asked(play: Play) -> None:
    async def act(site: Site) -> None:
        before = len(site.log(""))
        assert (await site.signal()).work == 0
        assert len(site.log("")) == before

    play(act)


def test_an_operation_at_its_target_is_closed_with_both_legs_and_a_row_of_history(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long_entry="60000", short_entry="60100")
        shown = await site.operation(profit_target="90", name="hedge")
        site.hold(long="0.100", short="0.100", long_entry="60000", short_entry="60800")
        await site.signal()  # reads the costs
        await site.signal()
        assert (await active(site, shown)).watched.standing.current_pnl is not None
        site.hold(long="0.100", short="0.100", long_entry="60000", short_entry="61000")
        outcome = await site.signal()
        assert outcome.params["begun"] == 1
        trade = await closed(site, shown)
        assert trade.reason is Reason.TARGET
        assert trade.net >= 90
        assert site.closed_quantity() == {"LONG": Decimal("0.100"), "SHORT": Decimal("0.100")}
        check_money(site, trade)
        assert await site.operations.all() == []
        kinds = [event.kind for event in await site.operations.events(shown.watched.operation.id)]
        assert kinds == ["closed", "order_done", "order_done", "closing", "created"]
        assert len(await site.trades.page(EVERYTHING)) == 1

    play(act)


def test_the_result_takes_off_fees_and_adds_funding(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.200", short="0.100", entry="60000")
        shown = await site.operation(profit_target="100000")
        site.simulator.made("/_sim/funding", {"BTCUSDT": "0.0001"})
        await site.signal()
        site.price("BTCUSDT", "60100")
        await site.signal()
        standing = (await active(site, shown)).watched.standing
        assert standing.result is not None
        result = standing.result
        assert result.gross == Decimal(10)
        assert result.fees == Decimal("0.3") * 60100 * Decimal("0.0005")
        assert result.funding == Decimal("-0.6")
        assert result.net == result.gross - result.fees + result.funding
        assert standing.current_pnl == result.net

    play(act)


def test_gross_alone_decides_where_an_operation_says_so(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="59900", short_entry="60000", entry="60000")
        shown = await site.operation(profit_target="10", gross=True)
        await site.signal()
        assert (await closed(site, shown)).gross == Decimal(10)

    play(act)


def test_a_stale_price_decides_nothing(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(stale_price_s=6)
        await site.signal()
        assert (await active(site, shown)).watched.standing.undecided is Undecided.STALE_PRICE
        assert site.book_fills() == []
        site.faults(stale_price_s=4)
        await site.signal()
        await closed(site, shown)

    play(act)


def test_a_stop_loss_closes_at_the_loss(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.010")
        shown = await site.operation(profit_target="1000", stop_loss="50", gross=True)
        site.price("BTCUSDT", "59500")
        await site.signal()
        await active(site, shown)
        site.price("BTCUSDT", "59400")
        await site.signal()
        trade = await closed(site, shown)
        assert trade.reason is Reason.STOP_LOSS
        assert trade.gross == Decimal(-54)

    play(act)


def test_a_trailing_target_follows_the_result_and_closes_when_it_falls(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.010")
        shown = await site.operation(profit_target="90", trailing="20", gross=True)
        for price, peak in (("60900", None), ("61100", "99"), ("61500", "135"), ("61400", "135")):
            site.price("BTCUSDT", price)
            await site.signal()
            assert (await active(site, shown)).watched.standing.peak == (None if peak is None else Decimal(peak))
        site.price("BTCUSDT", "61250")
        await site.signal()
        trade = await closed(site, shown)
        assert (trade.reason, trade.gross) == (Reason.TRAILING, Decimal("112.5"))

    play(act)


def test_a_dry_run_says_once_what_it_would_do_and_sends_nothing(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True, dry_run=True)
        for _ in range(3):
            await site.signal()
        kinds = [event.kind for event in await site.operations.events(shown.watched.operation.id)]
        assert kinds == ["would_close", "created"]
        assert site.log("/fapi/v1/order", "POST") == []

    play(act)


def test_a_stopped_one_is_left_alone_until_it_is_started(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True, auto_close_enabled=False)
        assert (await site.signal()).work == 0
        await site.operations.start(shown.watched.operation.id, by=BY)
        await site.signal()
        await closed(site, shown)

    play(act)


def test_close_now_closes_one_and_panic_all_of_them(play: Play) -> None:
    async def act(site: Site) -> None:
        shown = []
        for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
            site.hold(symbol, long="1", short="1", entry="100")
            shown.append(await site.operation(symbol, profit_target="1000", auto_close_enabled=False))
        await site.operations.close_now(shown[0].watched.operation.id, by=BY)
        await site.signal()
        assert (await closed(site, shown[0])).reason is Reason.BY_HAND
        panic = await site.operations.panic(by=BY)
        assert len(panic.closing) == 2
        await site.signal()
        assert {(await closed(site, each)).reason for each in shown[1:]} == {Reason.PANIC}
        assert ("binance.panic", "binance") in site.book.audit
        assert site.book.asked == ["binance.auto_close"] * 2
        assert panic.is_begun

    play(act)


def test_an_order_above_the_market_maximum_is_split(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="250", short="250", entry="60000")  # the symbol's maximum is 120
        shown = await site.operation(profit_target="1000")
        await site.operations.close_now(shown.watched.operation.id, by=BY)
        await site.signal()
        trade = await closed(site, shown)
        assert site.closed_quantity() == {"LONG": Decimal(250), "SHORT": Decimal(250)}
        assert len(site.log("/fapi/v1/order", "POST")) == 6
        check_money(site, trade)

    play(act)


def test_one_leg_refused_is_retried_then_an_incident_and_ends_when_it_goes(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(refuse_leg={"value": "SHORT", "code": -2019})
        await site.signal()
        operation = (await active(site, shown)).watched.operation
        assert operation.state is State.PARTIALLY_CLOSED
        assert site.closed_quantity() == {"LONG": Decimal("0.100")}
        (fault,) = site.book.told
        assert (fault.severity, fault.key) == ("critical", f"operation:{operation.id}")
        assert "-2019" in fault.reason.replace("−", "-")
        assert fault.runbook
        with pytest.raises(Conflict):
            await site.operations.remove(operation.id, by=BY)
        site.faults()
        site.store.write_now(lambda tx: tx.raw("UPDATE binance_active_operations SET retry_at = NULL"))
        await site.signal()
        check_money(site, await closed(site, shown))
        assert site.book.faults == {}
        assert site.closed_quantity() == {"LONG": Decimal("0.100"), "SHORT": Decimal("0.100")}

    play(act)


def test_a_leg_refused_once_is_closed_in_the_same_run(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(refuse_leg={"value": "SHORT", "times": 1})
        await site.signal()
        check_money(site, await closed(site, shown))
        assert site.book.told == []

    play(act)


def test_nothing_done_makes_it_active_again(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(overloaded={"value": True, "only": {"path": "/order"}})
        await site.signal()
        operation = (await active(site, shown)).watched.operation
        assert (operation.state, operation.failures, operation.retry_at) == (State.ACTIVE, 1, None)
        assert site.book.told == []
        site.faults()
        await site.signal()
        check_money(site, await closed(site, shown))

    play(act)


@pytest.mark.parametrize("fault", ["order_503_done", "order_1007_done", "cut_after_accept", "no_avg_price"])
def test_an_order_that_was_done_is_found_and_not_sent_again(play: Play, fault: str) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(**{fault: True})
        await site.signal()
        check_money(site, await closed(site, shown))
        assert len(site.log("/fapi/v1/order", "POST")) == 2

    play(act)


@pytest.mark.parametrize("fault", ["order_503_not_done", "cut_before_accept", "duplicate_client_id"])
def test_an_order_that_was_not_done_is_sent_again_once_that_is_proven(play: Play, fault: str) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(**{fault: {"value": True, "only": {"position_side": "SHORT"}, "times": 1}})
        await site.signal()
        operation = (await active(site, shown)).watched.operation
        assert operation.state is State.PARTIALLY_CLOSED
        assert len(site.log("/fapi/v1/order", "POST")) == 2, "it may still be on its way"
        await let_settle(site, shown)
        check_money(site, await closed(site, shown))
        assert site.closed_quantity() == {"LONG": Decimal("0.100"), "SHORT": Decimal("0.100")}

    play(act)


async def let_settle(site: Site, shown: Shown) -> None:
    """Signals until it is closed, with the exchange's clock going faster than ours."""
    for round_ in range(1, 8):
        site.faults(clock_skew_ms=2000 * round_)
        await site.signal()
        if isinstance(await site.shown(shown), Trade):
            return
    raise AssertionError(await site.operations.orders(shown.watched.operation.id))


def test_a_leg_closed_by_somebody_else_ends_the_operation_without_a_second_order(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(refuse_leg="SHORT")
        await site.signal()
        site.simulator.made("/_sim/positions", {"symbol": "BTCUSDT", "position_side": "SHORT", "quantity": "0"})
        site.store.write_now(lambda tx: tx.raw("UPDATE binance_active_operations SET retry_at = NULL"))
        await site.signal()
        trade = await closed(site, shown)
        assert {leg.side.value: leg.elsewhere for leg in trade.legs} == {"LONG": 0, "SHORT": Decimal("0.100")}
        assert site.closed_quantity() == {"LONG": Decimal("0.100")}

    play(act)


def test_fills_that_come_late_are_waited_for(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(unseen_s=30)
        await site.signal()
        assert (await active(site, shown)).watched.operation.state is State.CLOSING
        site.faults()
        await site.signal()
        check_money(site, await closed(site, shown))
        assert len(site.log("/fapi/v1/order", "POST")) == 2

    play(act)


def test_a_failing_account_holds_back_no_other(play: Play) -> None:
    async def act(site: Site) -> None:
        key = {"api_key": "other-simulated-key", "api_secret": "other-simulated-secret"}
        site.simulator.made("/_sim/accounts", key)
        await site.account("other", credentials(**key))
        site.hold(long="0.100", short="0.100", long_entry="50000")
        site.hold(long="0.100", short="0.100", long_entry="50000", api_key=key["api_key"])
        first = await site.operation(profit_target="10", gross=True, account="other")
        second = await site.operation(profit_target="10", gross=True)
        site.faults(key_refused={"value": True, "only": {"api_key": key["api_key"]}})
        outcome = await site.signal()
        assert outcome.params["failed"] == 1
        await active(site, first)
        await closed(site, second)
        assert [fault.key.partition(":")[0] for fault in site.book.told] == ["account"]
        site.faults()
        await site.signal()
        await closed(site, first)
        assert site.book.faults == {}

    play(act)


def test_a_ban_is_known_to_the_next_process(play: Play, simulator: InThread) -> None:
    async def act(site: Site) -> None:
        site.hold()
        await site.operation(profit_target="1000", gross=True)
        site.faults(ban_s=60)
        with pytest.raises(TemporaryFailure):
            await site.signal()
        asked = len(site.log(""))
        async with site_on(site.store, simulator.url, book=site.book) as other:
            with pytest.raises(TemporaryFailure, match="no requests"):
                await other.signal()
        assert len(site.log("")) == asked

    play(act)


def test_what_has_not_changed_is_not_written(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100")
        shown = await site.operation(profit_target="1000")
        for _ in range(2):
            await site.signal()
        before = (await active(site, shown)).watched.standing.at
        await site.signal()
        assert (await active(site, shown)).watched.standing.at == before
        site.hold(long="0.200", short="0.100")
        await site.signal()
        assert (await active(site, shown)).watched.standing.at != before

    play(act)
