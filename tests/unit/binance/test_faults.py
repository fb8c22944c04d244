"""Each fault of the simulated exchange, and what the engine is told of it: done, not done, or unknown."""

import asyncio
import traceback
from datetime import timedelta
from typing import Any

import pytest

from atalaia.integrations.binance.exchange.failures import Limited, NotDone, OutcomeUnknown, Refused
from atalaia.integrations.binance.exchange.port import OrderReport, Side
from atalaia.sdk.failures import BadPayload
from atalaia_simulators.binance import Options
from tests.acceptance.line import Line
from tests.fakes import FakeClock
from tests.stillness import unhurried
from tests.unit.binance.ground import CREDENTIALS, World, closing, in_world, opened, simulating

AMPLE: dict[str, Any] = {"whole_s": 60.0, "recv_window_ms": 4000}
SILENT_S = 3  # an answer takes so much longer than its limit


async def failing(world: World, side: Side = Side.LONG) -> Any:
    """What sending an order fails with."""
    with pytest.raises((NotDone, OutcomeUnknown, Limited, Refused)) as caught:
        await world.account.send(closing(side))
    return caught.value


@pytest.mark.parametrize(
    ("fault", "failure", "is_done"),
    [
        ({"order_503_done": True}, OutcomeUnknown, True),
        ({"order_503_not_done": True}, OutcomeUnknown, False),
        ({"order_1007_done": True}, OutcomeUnknown, True),
        ({"order_1007_not_done": True}, OutcomeUnknown, False),
        ({"cut_after_accept": True}, OutcomeUnknown, True),
        ({"cut_before_accept": True}, OutcomeUnknown, False),
        ({"changed_shape": {"value": True, "only": {"path": "/order", "method": "POST"}}}, OutcomeUnknown, True),
        ({"overloaded": True}, NotDone, False),
        ({"service_unavailable": True}, NotDone, False),
        ({"refuse_leg": {"value": "LONG", "code": -2022}}, Refused, False),
        ({"refuse_leg": {"value": "LONG", "code": -2019}}, Refused, False),
        ({"refuse_leg": {"value": "LONG", "code": -4061}}, Refused, False),
        ({"duplicate_client_id": True}, Refused, False),
        ({"key_refused": True}, Refused, False),
        ({"ban_s": 30}, Limited, False),
        ({"rate_limit_s": 30}, Limited, False),
    ],
    ids=lambda each: next(iter(each)) if isinstance(each, dict) else None,
)
def test_each_fault_of_an_order_is_its_failure(
    fault: dict[str, Any], failure: type[Exception], *, is_done: bool
) -> None:
    async def act(world: World) -> None:
        world.hold()
        await world.exchange.market.server_time()
        world.faults(**fault)
        error = await failing(world)
        assert type(error) is failure
        assert len(world.fills()) == int(is_done)
        assert went_out(world) == 1
        assert getattr(error, "may_have_arrived", False) is (failure is OutcomeUnknown)

    in_world(act, **AMPLE)


def went_out(world: World) -> int:
    """Orders that arrived, whatever came of them."""
    return len([row for row in world.log("/order") if row["method"] == "POST"])


@pytest.mark.parametrize(("fault", "is_done"), [("timeout_after_accept", True), ("timeout_before_accept", False)])
def test_an_order_that_is_not_answered_in_time_is_unknown(fault: str, *, is_done: bool) -> None:
    def scene(slower: float) -> None:
        async def act(world: World) -> None:
            world.hold()
            await world.exchange.market.server_time()
            world.faults(**{fault: SILENT_S * slower})
            error = await failing(world)
            assert type(error) is OutcomeUnknown
            assert (len(world.fills()), went_out(world)) == (int(is_done), 1)
            assert error.may_have_arrived

        in_world(act, **AMPLE | {"whole_s": 0.4 * slower})

    unhurried(scene, bears_s=0.2)


@pytest.mark.parametrize("fault", ["order_503_done", "order_503_not_done", "timeout_after_accept", "cut_after_accept"])
def test_what_became_of_an_unknown_order_is_found_by_its_id(fault: str) -> None:
    def scene(slower: float) -> None:
        async def act(world: World) -> None:
            world.hold()
            before = await world.exchange.market.server_time()
            value = SILENT_S * slower if fault.startswith("timeout") else True
            world.faults(**{fault: {"value": value, "times": 1}})
            error = await failing(world)
            sent = error.settles_at - timedelta(seconds=world.account.settling_s)
            assert before <= sent <= await world.exchange.market.server_time()
            report = await world.account.find("BTCUSDT", "op1-L-1")
            assert (report is not None and report.is_final) is ("not_done" not in fault)

        in_world(act, **AMPLE | ({"whole_s": 0.4 * slower} if fault.startswith("timeout") else {}))

    unhurried(scene, bears_s=0.2)


def test_an_order_that_is_done_late_is_done_before_it_settles() -> None:
    """So that who finds nothing after that may send again."""

    async def act(world: World) -> None:
        world.hold()
        world.faults(late_accept_s=0.15)
        error = await failing(world)
        assert await world.account.find("BTCUSDT", "op1-L-1") is None
        found: OrderReport | None = None
        while found is None and await world.exchange.market.server_time() < error.settles_at:
            await asyncio.sleep(0.05)
            found = await world.account.find("BTCUSDT", "op1-L-1")
        assert found is not None

    in_world(act, **AMPLE)


def test_a_missing_average_price_is_none_and_in_the_fills() -> None:
    async def act(world: World) -> None:
        world.hold()
        world.faults(no_avg_price=True)
        report = await world.account.send(closing())
        assert (report.status, report.average_price) == ("FILLED", None)
        assert len(await world.account.fills("BTCUSDT", report.order_id)) == 1

    in_world(act)


def test_an_order_that_is_done_in_part_ends_with_what_was_executed() -> None:
    async def act(world: World) -> None:
        world.hold()
        world.faults(partial_fill=0.5)
        report = await world.account.send(closing())
        assert (report.is_final, str(report.executed)) == (True, "0.005")

    in_world(act)


def test_a_price_that_is_stale_says_so_by_its_time() -> None:
    async def act(world: World) -> None:
        world.faults(stale_price_s={"value": 30, "only": {"symbol": "BTCUSDT"}})
        prices = await world.exchange.market.prices()
        now = await world.exchange.market.server_time()
        assert now - prices["BTCUSDT"].at > timedelta(seconds=29)
        assert now - prices["ETHUSDT"].at < timedelta(seconds=2)

    clock = FakeClock()
    in_world(act, options=Options(now=lambda: clock.now().timestamp()), clock=clock)


@pytest.mark.parametrize("skew_ms", [-60_000, -1500, 5000, 3_600_000])
def test_a_clock_that_is_off_is_read_anew_once_for_all(skew_ms: int) -> None:
    async def act(world: World) -> None:
        world.hold()
        await world.account.positions()
        world.faults(clock_skew_ms=skew_ms)
        both = await asyncio.gather(*(world.account.positions() for _ in range(5)))
        assert [len(each) for each in both] == [2] * 5
        assert (await world.account.send(closing())).status == "FILLED"
        assert len(world.log("/fapi/v1/time")) == 2

    in_world(act, **AMPLE)


def test_an_order_refused_for_its_time_goes_out_once_more_and_is_done_once() -> None:
    async def act(world: World) -> None:
        world.hold()
        await world.exchange.market.server_time()
        world.faults(clock_skew_ms=-30_000)
        assert (await world.account.send(closing())).status == "FILLED"
        assert len(world.fills()) == 1

    in_world(act)


def test_a_time_that_is_never_taken_is_not_done() -> None:
    async def act(world: World) -> None:
        world.hold()
        await world.exchange.market.server_time()
        # Its clock goes so much faster that what is read is over at once.
        world.faults(clock_skew_ms=-30_000, answer_delay_ms={"value": 300, "only": {"path": "/time"}})
        error = await failing(world)
        assert type(error) is NotDone
        assert world.fills() == []

    in_world(act, recv_window_ms=100)


def test_nothing_is_sent_after_the_last_instant_that_an_order_may_be_signed() -> None:
    async def act(world: World) -> None:
        world.hold()
        now = await world.exchange.market.server_time()
        with pytest.raises(NotDone):
            await world.account.send(closing(), not_after=now - timedelta(seconds=1))
        assert world.log("/order") == []
        assert (await world.account.send(closing(), not_after=now + timedelta(seconds=60))).status == "FILLED"

    in_world(act)


@pytest.mark.parametrize(("fault", "is_ban"), [({"rate_limit_s": 2}, False), ({"ban_s": 2}, True)])
def test_after_a_limit_nothing_goes_out_from_any_account_until_it_is_over(
    fault: dict[str, Any], *, is_ban: bool
) -> None:
    clock = FakeClock()  # of both sides: nothing is over because this machine is busy

    async def act(world: World) -> None:
        await world.account.positions()
        world.faults(**fault)
        with pytest.raises(Limited):
            await world.exchange.market.prices()
        arrived = len(world.log(""))
        for attempt in (
            world.exchange.market.prices,
            world.account.positions,
            world.exchange.account("other", CREDENTIALS).positions,
            lambda: world.account.send(closing()),
        ):
            with pytest.raises(Limited) as caught:
                await attempt()
            assert 0 < caught.value.retry_after_s <= 2
            assert caught.value.is_ban is is_ban
        assert len(world.log("")) == arrived
        assert world.exchange.gate.blocked_until() is not None
        clock.advance(2.1)
        assert world.exchange.gate.blocked_until() is None
        assert await world.account.positions() == []

    # Of a call less than the pause, so that no reading waits for its end.
    in_world(act, options=Options(now=lambda: clock.now().timestamp()), clock=clock, whole_s=1.0)


def test_a_ban_that_another_hub_met_holds_here_too() -> None:
    async def act(world: World) -> None:
        until = world.ground.clock.now() + timedelta(minutes=2)
        world.exchange.gate.block(until, is_ban=True)
        with pytest.raises(Limited) as caught:
            await world.exchange.market.prices()
        assert caught.value.is_ban
        assert world.log("") == []

    in_world(act)


def test_too_many_orders_of_one_account_leave_the_others_alone() -> None:
    async def act(world: World) -> None:
        world.hold()
        world.exchange._counts["main"].note({"X-MBX-ORDER-COUNT-10S": "300"})
        with pytest.raises(Limited) as caught:
            await world.account.send(closing())
        assert not caught.value.is_ban
        assert world.exchange.gate.blocked_until() is None
        other = world.exchange.account("other", CREDENTIALS)
        assert (await other.send(closing())).status == "FILLED"

    in_world(act)


def test_refusals_never_open_the_breaker_and_outages_do() -> None:
    async def act(world: World) -> None:
        world.hold()
        world.faults(refuse_leg={"value": "LONG", "code": -2019})
        for _ in range(12):
            assert type(await failing(world)) is Refused
        assert world.ground.breaker.state("main").phase == "closed"
        world.faults(refuse_leg=None, order_503_not_done=True)
        for _ in range(5):
            assert type(await failing(world)) is OutcomeUnknown
        assert world.ground.breaker.state("main").phase == "open"
        arrived = len(world.log("/order"))
        error = await failing(world)
        assert type(error) is NotDone
        assert error.retry_after_s is not None
        assert 0 < error.retry_after_s <= 2
        assert len(world.log("/order")) == arrived

    clock = FakeClock()
    in_world(act, options=Options(now=lambda: clock.now().timestamp()), clock=clock)


def test_readings_are_repeated_and_orders_never() -> None:
    async def act(world: World) -> None:
        world.hold()
        world.faults(service_unavailable={"value": True, "times": 2})
        assert len(await world.account.positions()) == 2
        world.faults(service_unavailable={"value": True, "times": 1})
        assert type(await failing(world)) is NotDone

    in_world(act)


@pytest.mark.parametrize("fault", ["overloaded", "service_unavailable"])
def test_a_reading_that_fails_is_not_done_whatever_the_reason(fault: str) -> None:
    async def act(world: World) -> None:
        world.faults(**{fault: True})
        for attempt in (world.exchange.market.prices, world.exchange.market.rules, world.account.positions):
            with pytest.raises(NotDone):
                await attempt()

    in_world(act, whole_s=0.3)


def test_answers_in_another_form_are_bad_payloads_and_count_as_failures() -> None:
    async def act(world: World) -> None:
        world.hold()
        await world.account.send(closing())
        world.faults(changed_shape=True)
        for attempt in (
            world.exchange.market.prices,
            world.exchange.market.rules,
            world.account.positions,
            world.account.is_hedge_mode,
            world.account.restrictions,
            lambda: world.account.rates("BTCUSDT"),
            lambda: world.account.find("BTCUSDT", "op1-L-1"),
        ):
            with pytest.raises(BadPayload):
                await attempt()
        assert {call.outcome for call in world.ground.calls.calls} == {"ok", "bad_payload"}

    in_world(act)


def test_a_line_that_is_cut_is_not_done_before_the_order_and_mended_after() -> None:
    async def main(url: str, line: Line) -> None:
        async with opened(url, at=line.url, whole_s=1.0) as world:
            world.hold()
            await world.account.positions()
            line.cut()
            with pytest.raises((NotDone, OutcomeUnknown)):
                await world.account.send(closing())  # the connection that it had is gone, perhaps with the order in it
            assert type(await failing(world)) is NotDone
            assert world.fills() == []
            line.mend()
            assert (await world.account.send(closing())).status == "FILLED"

    with simulating() as url:
        line = Line(int(url.rpartition(":")[2]))
        try:
            asyncio.run(main(url, line))
        finally:
            line.close()


def test_keys_and_signatures_are_in_no_error_and_no_record() -> None:
    async def act(world: World) -> None:
        world.hold()
        told = []
        for fault in (
            {"order_503_done": True},
            {"cut_after_accept": True},
            {"key_refused": True},
            {"overloaded": True},
        ):
            world.faults()
            world.faults(**fault)
            told.append("".join(traceback.format_exception(await failing(world))))
            with pytest.raises((NotDone, Refused, OutcomeUnknown)) as caught:
                await world.account.send(closing())
            told.append(repr(caught.value.params))
        text = "\n".join(told) + repr(list(world.ground.calls.calls)) + repr(world.account) + repr(CREDENTIALS)
        secrets = [each.reveal() for each in (CREDENTIALS.api_key, CREDENTIALS.api_secret)]
        signatures = [row["raw"].rpartition("signature=")[2] for row in world.log("/order")]
        assert all(len(each) == 64 for each in signatures)
        assert [each for each in (*secrets, *signatures) if each in text] == []

    in_world(act)
