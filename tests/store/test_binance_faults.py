"""A close under the faults of the exchange: one leg refused, outcomes that nobody knows, somebody else's hands."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from atalaia.core.errors import Conflict
from atalaia.integrations.binance import run
from atalaia.integrations.binance.exchange.failures import NotDone
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.operations import LONGEST_WAIT
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.operations import Shown
from tests.conftest import MakeStore
from tests.store.binance_site import AMPLE_S, BY, Play, Site, active, check_money, closed, playing


@pytest.fixture
def play(make_store: MakeStore) -> Iterator[Play]:
    with playing(make_store()) as played:
        yield played


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


def test_a_refusal_after_a_long_outage_is_told_like_any_other(play: Play) -> None:
    """The wait was reckoned from all failures in a row: after a thousand of them it could not be, and nothing was kept or told."""

    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.store.write_now(lambda tx: tx.raw("UPDATE binance_active_operations SET failures = 1500"))
        site.faults(refuse_leg={"value": "SHORT", "code": -2019})
        await site.signal()
        operation = (await active(site, shown)).watched.operation
        assert (operation.state, operation.failures) == (State.PARTIALLY_CLOSED, 1501)
        assert operation.retry_at is not None
        assert operation.retry_at <= site.host.clock.now() + LONGEST_WAIT
        assert [fault.severity for fault in site.book.told] == ["critical"]

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


def test_an_account_that_takes_too_long_is_left_where_it_stands_and_gone_on_with(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def act(site: Site) -> None:
        monkeypatch.setattr(run, "PART_WITHIN_S", AMPLE_S / 4)
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(timeout_after_accept={"value": 30, "times": 2})
        signal = asyncio.create_task(site.signal())
        async with asyncio.timeout(AMPLE_S):
            while len(await asyncio.to_thread(site.book_fills)) < 2:  # noqa: ASYNC110 - asked of another thread
                await asyncio.sleep(0.01)
        # Both orders are done and not answered: only now the time goes by, for the limits of this loop.
        loop = asyncio.get_running_loop()
        time = loop.time
        monkeypatch.setattr(loop, "time", lambda: time() + AMPLE_S / 2)
        with pytest.raises(NotDone, match="took longer"):
            await signal
        assert (await active(site, shown)).watched.operation.state is State.CLOSING
        monkeypatch.setattr(run, "PART_WITHIN_S", AMPLE_S)
        await site.signal()
        check_money(site, await closed(site, shown))
        assert len(site.log("/fapi/v1/order", "POST")) == 2

    play(act)


def test_fills_that_are_never_told_become_an_incident(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold(long="0.100", short="0.100", long_entry="50000")
        shown = await site.operation(profit_target="10", gross=True)
        site.faults(unseen_s=1000)
        await site.signal()
        assert site.book.told == []
        site.faults(unseen_s=1000, clock_skew_ms=70_000)
        for _ in range(2):
            await site.signal()
        assert [fault.severity for fault in site.book.told] == ["critical"]
        site.faults()
        await site.signal()
        check_money(site, await closed(site, shown))
        assert site.book.faults == {}

    play(act)
