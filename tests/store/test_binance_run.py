"""A run of auto-close: on a real store, against the simulated exchange."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from atalaia.integrations.binance.model.deciding import Reason, Undecided
from atalaia.integrations.binance.queries.history import TradeFilter
from atalaia.sdk.failures import TemporaryFailure
from tests.conftest import MakeStore
from tests.store.binance_site import BY, Play, Site, active, check_money, closed, credentials, playing, site_on

EVERYTHING = TradeFilter()


@pytest.fixture
def play(make_store: MakeStore) -> Iterator[Play]:
    with playing(make_store()) as played:
        yield played


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


def test_a_ban_is_known_to_the_next_process(play: Play) -> None:
    async def act(site: Site) -> None:
        site.hold()
        await site.operation(profit_target="1000", gross=True)
        site.faults(ban_s=60)
        with pytest.raises(TemporaryFailure):
            await site.signal()
        asked = len(site.log(""))
        async with site_on(site.store, site.simulator.url, book=site.book, clock=site.host.clock) as other:
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
        site.pass_s(1)
        await site.signal()
        assert (await active(site, shown)).watched.standing.at == before
        site.hold(long="0.200", short="0.100")
        await site.signal()
        assert (await active(site, shown)).watched.standing.at != before

    play(act)
