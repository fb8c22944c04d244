"""What people do with accounts, operations and the history."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from atalaia.core.errors import AtalaiaError, Conflict, InvalidField, NotFound
from atalaia.integrations.binance.exchange.failures import NotDone
from atalaia.integrations.binance.filters import read_limit
from atalaia.integrations.binance.model.states import State
from atalaia.integrations.binance.operations import ActiveFilter, OperationChange, Shown
from atalaia.integrations.binance.queries.history import TradeFilter
from tests.conftest import MakeStore
from tests.store.binance_site import BY, CREDENTIALS, Play, Site, credentials, playing


@pytest.fixture
def play(make_store: MakeStore) -> Iterator[Play]:
    with playing(make_store(), has_account=False) as played:
        yield played


def test_an_account_is_kept_sealed_and_shown_without_its_secrets(play: Play) -> None:
    async def act(site: Site) -> None:
        view = await site.account("  main ")
        assert (view.name, view.key_end, view.operations) == ("main", "-key", 0)
        rows = site.store.read_now(lambda tx: tx.raw("SELECT sealed_key, sealed_secret, key_end FROM binance_accounts"))
        kept = b"".join(bytes(value) for value in rows[0][:2])
        assert CREDENTIALS.api_key.reveal().encode() not in kept
        assert CREDENTIALS.api_secret.reveal().encode() not in kept
        assert site.book.audit == [("binance.account_added", f"binance_account:{view.id}")]
        with pytest.raises(Conflict):
            await site.account("main")

    play(act)


@pytest.mark.parametrize(
    ("made", "field", "words"),
    [
        ({"can_withdraw": True}, "api_key", "withdraw"),
        ({"hedge_mode": False}, "api_key", "hedge"),
        (None, "api_key", "refuses"),
    ],
)
def test_a_key_that_may_do_too_much_or_too_little_is_refused(
    play: Play, made: dict[str, bool] | None, field: str, words: str
) -> None:
    async def act(site: Site) -> None:
        given = {"api_key": "another-simulated-key", "api_secret": "another-simulated-secret"}
        if made is not None:
            site.simulator.made("/_sim/accounts", {**given, **made})
        with pytest.raises(InvalidField, match=words) as raised:
            await site.account("other", credentials(**given))
        assert raised.value.field == field
        assert await site.accounts.all() == []

    play(act)


def test_a_wrong_secret_names_the_secret(play: Play) -> None:
    async def act(site: Site) -> None:
        with pytest.raises(InvalidField) as raised:
            await site.account("main", credentials("simulated-key", "not-the-secret-of-it"))
        assert raised.value.field == "api_secret"

    play(act)


def test_an_exchange_that_can_not_be_asked_is_no_fault_of_the_key(play: Play) -> None:
    async def act(site: Site) -> None:
        site.faults(service_unavailable=True)
        with pytest.raises(NotDone):
            await site.account()

    play(act)


def test_an_account_leaves_when_it_has_no_operations_and_its_history_stays(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account()
        site.hold()
        shown = await site.operation()
        assert [view.operations for view in await site.accounts.all()] == [1]
        with pytest.raises(Conflict):
            await site.accounts.remove("main", by=BY)
        await site.operations.close_now(shown.watched.operation.id, by=BY)
        await site.signal()
        await site.accounts.remove("main", by=BY)
        assert [trade.account for trade in await site.trades.page(TradeFilter())] == ["main"]
        with pytest.raises(NotFound):
            await site.accounts.remove("main", by=BY)

    play(act)


def test_one_active_operation_for_account_and_symbol(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account()
        made = await asyncio.gather(
            *(site.operation(symbol) for symbol in ("BTCUSDT", "btcusdt", "ETHUSDT")), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in made) == ["Conflict", "Shown", "Shown"]

    play(act)


@pytest.mark.parametrize(
    ("wished", "field"),
    [
        ({"profit_target": "0"}, "profit_target"),
        ({"profit_target": "-5"}, "profit_target"),
        ({"profit_target": "1e2"}, "profit_target"),
        ({"stop_loss": "-10"}, "stop_loss"),
        ({"trailing": "x"}, "trailing"),
        ({"symbol": "NOSUCH"}, "symbol"),
        ({"account": "nobody"}, "account"),
        ({"name": "n" * 121}, "name"),
    ],
)
def test_a_wrong_wish_names_its_field(play: Play, wished: dict[str, str], field: str) -> None:
    async def act(site: Site) -> None:
        await site.account()
        with pytest.raises(InvalidField) as raised:
            await site.operation(**wished)
        assert raised.value.field == field
        assert await site.operations.all() == []

    play(act)


def test_a_change_is_on_the_events_and_on_the_audit_log(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account()
        id_ = (await site.operation(stop_loss="20")).watched.operation.id
        await site.operations.change(id_, OperationChange(profit_target="75.50", stop_loss=None, name="new"), by=BY)
        await site.operations.stop(id_, by=BY)
        shown = await site.operations.one(id_)
        assert isinstance(shown, Shown)
        operation = shown.watched.operation
        assert (operation.wishes.profit_target, operation.wishes.stop_loss) == (Decimal("75.50"), None)
        assert (operation.name, operation.auto_close_enabled, operation.revision) == ("new", False, 3)
        events = await site.operations.events(id_)
        assert [event.kind for event in events] == ["stopped", "changed", "created"]
        assert events[1].data["profit_target"] == "75.5"
        assert [action for action, _ in site.book.audit][-1] == "binance.operation_stopped"
        with pytest.raises(InvalidField):
            await site.operations.change(id_, OperationChange(name=" "), by=BY)

    play(act)


def test_an_operation_that_is_given_up_leaves_its_positions_alone(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account()
        site.hold()
        id_ = (await site.operation()).watched.operation.id
        await site.signal()
        await site.operations.remove(id_, by=BY)
        assert (await site.signal()).work == 0
        assert site.book_fills() == []
        for call in (site.operations.one(id_), site.operations.remove(id_, by=BY), site.operations.stop(id_, by=BY)):
            with pytest.raises(NotFound):
                await call
        await site.operation()

    play(act)


def test_a_dry_run_is_never_closed_by_hand_nor_by_panic(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account()
        site.hold()
        id_ = (await site.operation(dry_run=True)).watched.operation.id
        panic = await site.operations.panic(by=BY)
        assert (len(panic.closing), len(panic.dry_runs)) == (0, 1)
        await site.signal()
        shown = await site.operations.one(id_)
        assert isinstance(shown, Shown)
        assert shown.watched.operation.wanted is None
        kinds = [event.kind for event in await site.operations.events(id_)]
        assert kinds == ["nothing_to_close", "would_close", "close_wanted", "created"]
        assert site.book_fills() == []

    play(act)


def test_what_has_no_position_can_not_be_closed_and_says_so(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account()
        id_ = (await site.operation()).watched.operation.id
        await site.operations.close_now(id_, by=BY)
        await site.signal()
        assert (await site.operations.events(id_))[0].kind == "nothing_to_close"
        assert site.book_fills() == []

    play(act)


def test_one_leg_of_two_that_is_gone_is_told_once(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account()
        site.hold()
        id_ = (await site.operation(profit_target="1000")).watched.operation.id
        await site.signal()
        site.simulator.made("/_sim/positions", {"symbol": "BTCUSDT", "position_side": "SHORT", "quantity": "0"})
        for _ in range(2):
            await site.signal()
        assert [fault.key for fault in site.book.told] == [f"leg:{id_}"]
        assert [event.kind for event in await site.operations.events(id_)].count("leg_gone") == 1
        await site.operations.change(id_, OperationChange(profit_target="900"), by=BY)
        assert site.book.faults == {}

    play(act)


def test_totals_are_exact_by_day_symbol_and_account(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account()
        for symbol in ("BTCUSDT", "ETHUSDT"):
            site.hold(symbol, long="1", short="1", long_entry="90", entry="100")
            shown = await site.operation(symbol)
            await site.operations.close_now(shown.watched.operation.id, by=BY)
        await site.signal()
        trades = await site.trades.all(TradeFilter())
        whole = await site.trades.total(TradeFilter())
        assert (whole.count, whole.won) == (2, 2)
        assert whole.net == sum(trade.net for trade in trades)
        by_symbol = await site.trades.totals(TradeFilter(), "symbol", zone=UTC)
        assert [each.key for each in by_symbol] == ["BTCUSDT", "ETHUSDT"]
        for zone in (UTC, timezone(timedelta(hours=-3))):
            days = await site.trades.totals(TradeFilter(), "day", zone=zone)
            assert sum(each.count for each in days) == 2
            assert {each.key for each in days} == {trade.closed_at.astimezone(zone).date() for trade in trades}
        assert len(await site.trades.totals(TradeFilter(account="main"), "account", zone=UTC)) == 1
        assert (await site.trades.total(TradeFilter(symbol="XRPUSDT"))).count == 0
        page = await site.trades.page(TradeFilter(), limit=1)
        assert len(page) == 2, "one more, to see that there is a next page"
        assert await site.trades.page(TradeFilter(), limit=1, after=page[0].id) == page[1:]
        assert await site.trades.choices() == (["main"], ["BTCUSDT", "ETHUSDT"])
        with pytest.raises(AtalaiaError):
            await site.trades.one("nothing")

    play(act)


def test_operations_are_listed_page_by_page_as_they_are_filtered(play: Play) -> None:
    async def act(site: Site) -> None:
        for name in ("main", "other"):
            account = None if name == "main" else {"api_key": "second-key-of-the-list", "api_secret": "its-secret"}
            if account is not None:
                site.simulator.made("/_sim/accounts", account)
            await site.account(name, CREDENTIALS if account is None else credentials(**account))
        made = [
            await site.operation(symbol, account=name)
            for symbol in ("BTCUSDT", "ETHUSDT")
            for name in ("main", "other")
        ]
        ids = [each.watched.operation.id for each in made]

        async def page(limit: int = 50, after: str | None = None, **wanted: Any) -> list[str]:
            found = await site.operations.page(ActiveFilter(**wanted), limit=limit, after=after)
            return [each.watched.operation.id for each in found]

        assert await page() == ids
        assert await page(limit=2) == ids[:3], "one more says that there is a next page"
        assert await page(limit=2, after=ids[1]) == ids[2:]
        assert await page(account="other") == [ids[1], ids[3]]
        assert await page(account=made[1].watched.operation.account_id, symbol="ETHUSDT") == [ids[3]]
        assert await page(account="nobody") == await page(state=State.CLOSING) == []
        assert await page(state=State.ACTIVE, after=ids[3]) == []

    play(act)


def test_names_that_no_database_takes_are_refused_by_name(play: Play) -> None:
    async def act(site: Site) -> None:
        await site.account("main")
        for wished, field in (({"name": "a\0"}, "name"), ({"account": "main\0"}, "account")):
            with pytest.raises(InvalidField) as raised:
                await site.operation(**wished)
            assert raised.value.field == field
        with pytest.raises(InvalidField) as raised:
            await site.account("a\0b")
        assert raised.value.field == "name"

    play(act)


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "\u0663", "0000000019999999", "9" * 5_000])
def test_a_limit_is_a_small_number(limit: str) -> None:
    with pytest.raises(InvalidField):
        read_limit({"limit": limit})
