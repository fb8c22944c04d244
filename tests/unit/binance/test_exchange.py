"""The client against the simulated exchange: reading, and sending orders that go well."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from atalaia.core.redaction import Secret
from atalaia.integrations.binance.exchange.failures import NotDone, Refused
from atalaia.integrations.binance.exchange.port import FUNDING_FEE, Credentials, Rates, Side
from atalaia_simulators.binance import Options
from tests.fakes import FakeClock
from tests.stopwatch import Stopwatch
from tests.unit.binance.ground import World, closing, in_world


def test_prices_rules_and_time_are_read() -> None:
    async def act(world: World) -> None:
        world.simulator.made("/_sim/prices", {"BTCUSDT": "60123.45"})
        prices = await world.exchange.market.prices()
        assert prices["BTCUSDT"].mark == Decimal("60123.45")
        now = await world.exchange.market.server_time()
        assert now == prices["BTCUSDT"].at == clock.now()
        rules = (await world.exchange.market.rules())["BTCUSDT"]
        assert (rules.step, rules.market_max) == (Decimal("0.001"), Decimal(120))

    clock = FakeClock()
    in_world(act, options=Options(now=lambda: clock.now().timestamp()), clock=clock)


def test_rules_are_asked_for_once_by_all() -> None:
    async def act(world: World) -> None:
        await asyncio.gather(*(world.exchange.market.rules() for _ in range(10)))
        await world.exchange.market.rules()
        assert len(world.log("/exchangeInfo")) == 1

    in_world(act)


def test_both_legs_are_read_as_they_stand() -> None:
    async def act(world: World) -> None:
        assert await world.account.positions() == []
        world.hold(long="0.010", short="0.025")
        world.simulator.made("/_sim/prices", {"BTCUSDT": "60100"})
        long, short = sorted(await world.account.positions(), key=lambda each: each.side)
        assert (long.side, long.amount, long.unrealised) == (Side.LONG, Decimal("0.010"), Decimal(1))
        assert (short.side, short.amount, short.unrealised) == (Side.SHORT, Decimal("0.025"), Decimal("-2.5"))
        assert long.mark == Decimal(60100)

    in_world(act)


def test_rates_mode_and_the_keys_rights_are_read() -> None:
    async def act(world: World) -> None:
        assert await world.account.rates("BTCUSDT") == Rates(taker=Decimal("0.0005"), maker=Decimal("0.0002"))
        assert await world.account.is_hedge_mode() is True
        rights = await world.account.restrictions()
        assert (rights.can_withdraw, rights.can_trade_futures) == (False, True)
        account = {"api_key": "simulated-key", "api_secret": "simulated-secret", "can_withdraw": True}
        world.simulator.made("/_sim/accounts", account)
        assert (await world.account.restrictions()).can_withdraw is True

    in_world(act)


def test_funding_is_read_with_its_sign() -> None:
    async def act(world: World) -> None:
        since = await world.exchange.market.server_time() - timedelta(seconds=5)  # it is an estimate
        world.hold(long="0.010", short="0.020")
        world.simulator.made("/_sim/funding", {"BTCUSDT": "0.0001"})
        for symbol in ("BTCUSDT", None):
            found = await world.account.income(symbol, since, kind=FUNDING_FEE)
            assert sorted(each.amount for each in found) == [Decimal("-0.06"), Decimal("0.12")]
            assert {each.symbol for each in found} == {"BTCUSDT"}
        assert await world.account.income("ETHUSDT", since) == []

    in_world(act)


@pytest.mark.parametrize("side", list(Side))
def test_an_order_closes_its_leg_and_no_other(side: Side) -> None:
    async def act(world: World) -> None:
        world.hold()
        report = await world.account.send(closing(side, client_order_id="op:1/x.L-1_a"))
        assert (report.status, report.executed, report.average_price) == ("FILLED", Decimal("0.010"), Decimal(60000))
        assert report.client_order_id == "op:1/x.L-1_a"
        (left,) = await world.account.positions()
        assert left.side is not side
        assert await world.account.find("BTCUSDT", "op:1/x.L-1_a") == report

    in_world(act)


def test_fills_are_the_simulators_own_to_the_last_digit() -> None:
    async def act(world: World) -> None:
        world.hold()
        world.simulator.made("/_sim/prices", {"BTCUSDT": "60123.70"})
        report = await world.account.send(closing())
        fills = await world.account.fills("BTCUSDT", report.order_id)
        theirs = world.fills()
        assert len(fills) == 3
        assert [(str(each.price), each.quantity, each.commission, each.realised) for each in fills] == [
            (row["price"], *(Decimal(row[name]) for name in ("quantity", "commission", "realized_pnl")))
            for row in theirs
        ]
        assert sum(each.quantity for each in fills) == report.executed
        await world.account.send(closing(Side.SHORT, client_order_id="op1-S-1"))
        assert await world.account.fills("BTCUSDT", report.order_id) == fills

    in_world(act, options=Options(fills=3, slip_ticks=1))


def test_more_fills_and_income_than_a_page_holds_are_all_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atalaia.integrations.binance.exchange.account._PAGE", 4)

    async def act(world: World) -> None:
        since = await world.exchange.market.server_time()
        world.hold()
        report = await world.account.send(closing())
        fills = await world.account.fills("BTCUSDT", report.order_id)
        assert len({each.trade_id for each in fills}) == 10
        for _ in range(5):
            world.simulator.made("/_sim/funding", {"BTCUSDT": "0.0001"})
        found = await world.account.income("BTCUSDT", since, kind=FUNDING_FEE)
        assert len(found) == 5
        assert found == sorted(found, key=lambda each: each.at)

    in_world(act, options=Options(fills=10))


def test_an_order_that_nobody_knows_is_none() -> None:
    async def act(world: World) -> None:
        assert await world.account.find("BTCUSDT", "never-sent") is None

    in_world(act)


def test_accounts_do_not_wait_for_each_other() -> None:
    async def act(world: World) -> None:
        await world.exchange.market.server_time()
        world.faults(answer_delay_ms=100)
        keys = [(f"key-{number}", f"secret-{number}") for number in range(20)]
        world.simulator.made("/_sim/accounts", [{"api_key": key, "api_secret": secret} for key, secret in keys])
        accounts = [world.exchange.account(key, Credentials(Secret(key), Secret(secret))) for key, secret in keys]
        watch = Stopwatch()
        await asyncio.gather(*(each.positions() for each in accounts))
        assert watch.took_s < 1.5 + watch.late_s  # one after the other it would be two seconds at least

    in_world(act)


def test_the_weight_used_is_what_the_exchange_says() -> None:
    async def act(world: World) -> None:
        assert world.exchange.weights.is_under_half()
        await world.account.positions()
        assert world.exchange.weights.used() >= 5
        for _ in range(4):
            await world.account.is_hedge_mode()
        assert not world.exchange.weights.is_under_half()

    # The rules say what the limit is.
    async def with_rules(world: World) -> None:
        await world.exchange.market.rules()
        await act(world)

    in_world(with_rules, options=Options(weight_limit=200))


def test_each_call_is_on_record_by_its_operation_and_account() -> None:
    async def act(world: World) -> None:
        world.hold()
        await world.account.positions()
        await world.account.send(closing())
        with pytest.raises(Refused):
            await world.account.send(closing())
        told = {(call.account, call.operation, call.outcome, call.status) for call in world.ground.calls.calls}
        assert told == {
            ("default", "time", "ok", 200),
            ("main", "positions", "ok", 200),
            ("main", "send_order", "ok", 200),
            ("main", "send_order", "permanent", 400),
        }

    in_world(act)


def test_orders_in_the_body_and_readings_in_the_query_are_signed_last() -> None:
    async def act(world: World) -> None:
        world.hold()
        await world.account.positions()
        await world.account.send(closing())
        rows = [*world.log("/positionRisk"), *world.log("/order")]
        assert all(row["raw"].rpartition("&")[2].startswith("signature=") for row in rows)
        assert "reduceOnly" not in rows[1]["raw"]
        assert "quantity=0.01&" in rows[1]["raw"]

    in_world(act)


def test_a_wrong_secret_and_a_wrong_key_are_refused_with_what_to_do() -> None:
    async def act(world: World) -> None:
        cases: list[tuple[Any, int]] = [
            (Credentials(Secret("simulated-key"), Secret("another-secret")), -1022),
            (Credentials(Secret("another-key"), Secret("simulated-secret")), -2015),
        ]
        for credentials, code in cases:
            with pytest.raises(Refused) as caught:
                await world.exchange.account("wrong", credentials).positions()
            assert caught.value.exchange_code == code
            assert caught.value.hint

    in_world(act)


def test_an_address_where_nobody_is_is_not_done() -> None:
    async def act(world: World) -> None:
        for attempt in (world.exchange.market.prices, world.account.positions, lambda: world.account.send(closing())):
            with pytest.raises(NotDone):
                await attempt()

    in_world(act, at="http://127.0.0.1:9")
