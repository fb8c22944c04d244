from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.binance.exchange import answers, parsing
from atalaia.integrations.binance.exchange.failures import Refused
from atalaia.integrations.binance.exchange.port import OrderReport, Rates, Side
from atalaia.sdk.failures import BadPayload

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
AT_MS = 1_700_000_000_123
AT = datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
LONG: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "positionSide": "LONG",
    "positionAmt": "0.010",
    "entryPrice": "60000.10",
    "breakEvenPrice": "60024.1",
    "markPrice": "60100.00000000",
    "unRealizedProfit": "0.99900000",
    "liquidationPrice": "0",
    "notional": "601.00",
    "marginAsset": "USDT",
    "updateTime": AT_MS,
}
SHORT = LONG | {"positionSide": "SHORT", "positionAmt": "-0.020", "notional": "-1202.00", "unRealizedProfit": "-1.998"}
ORDER: dict[str, Any] = {
    "orderId": 22_542_179,
    "symbol": "BTCUSDT",
    "status": "FILLED",
    "clientOrderId": "a-1",
    "avgPrice": "60100.50000",
    "executedQty": "0.010",
    "updateTime": AT_MS,
}


def read(value: Any, shape: Any) -> Any:
    return answers.read(msgspec.json.encode(value), shape)


def positions(*rows: dict[str, Any]) -> Any:
    return parsing.positions_of(read(rows, list[answers.PositionRow]))


def test_a_short_is_negative_on_the_wire_and_absolute_here() -> None:
    long, short = positions(LONG, SHORT)
    assert (long.side, long.amount, long.entry, long.unrealised) == (
        Side.LONG,
        Decimal("0.010"),
        Decimal("60000.10"),
        Decimal("0.99900000"),
    )
    assert (short.side, short.amount, short.unrealised) == (Side.SHORT, Decimal("0.020"), Decimal("-1.998"))
    assert long.updated_at == AT


def test_a_leg_without_an_amount_is_not_there() -> None:
    assert positions(LONG | {"positionAmt": "0.000"}, LONG | {"positionSide": "BOTH", "positionAmt": "0"}) == []


def test_a_position_of_one_way_mode_is_refused_and_not_passed_over() -> None:
    with pytest.raises(Refused) as caught:
        positions(LONG | {"positionSide": "BOTH"})
    assert caught.value.exchange_code == -4061


@given(
    amount=st.decimals(
        min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=8, allow_nan=False, allow_infinity=False
    )
)
def test_numbers_come_over_to_the_last_digit(amount: Decimal) -> None:
    (income,) = parsing.income_of(
        read(
            [{"incomeType": "FUNDING_FEE", "income": f"{amount:f}", "asset": "USDT", "time": AT_MS, "tranId": 9}],
            list[answers.IncomeRow],
        )
    )
    assert income.amount == amount
    assert str(income.amount) == str(Decimal(f"{amount:f}"))


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "", "1,5", "0x1", "1e999", "1" * 60, None, [], {}, True]
)
def test_a_number_that_is_none_is_refused(number: Any) -> None:
    with pytest.raises(BadPayload):
        positions(LONG | {"entryPrice": number})


@pytest.mark.parametrize(
    "name", ["symbol", "positionSide", "positionAmt", "entryPrice", "markPrice", "unRealizedProfit"]
)
def test_a_position_without_what_is_needed_is_refused(name: str) -> None:
    with pytest.raises(BadPayload):
        positions({key: value for key, value in LONG.items() if key != name})


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"null", b'"[]"', b"[1]", b"\xff\xfe", b'[{"symbol":"\xff"}]', b"[" * 100_000]
)
def test_another_form_is_refused(body: bytes) -> None:
    with pytest.raises(BadPayload):
        answers.read(body, list[answers.PositionRow])


def report(**changes: Any) -> OrderReport:
    row = {key: value for key, value in (ORDER | changes).items() if value is not None}
    return parsing.report_of(read(row, answers.OrderRow), asked="a-1", now=NOW)


def test_an_order_is_reported_with_what_was_executed() -> None:
    assert report() == OrderReport(
        order_id=22_542_179,
        client_order_id="a-1",
        status="FILLED",
        executed=Decimal("0.010"),
        average_price=Decimal("60100.50000"),
        at=AT,
    )
    assert report().is_final


@pytest.mark.parametrize("price", [None, "0", "0.00000"])
def test_an_average_price_that_is_left_out_is_none(price: str | None) -> None:
    assert report(avgPrice=price).average_price is None


def test_a_report_without_a_time_is_of_now() -> None:
    assert report(updateTime=None).at == NOW
    assert report(updateTime=None, time=AT_MS).at == AT


@pytest.mark.parametrize("name", ["orderId", "clientOrderId", "status", "executedQty"])
def test_a_report_that_does_not_tell_what_was_executed_is_refused(name: str) -> None:
    with pytest.raises(BadPayload):
        report(**{name: None})


@pytest.mark.parametrize(
    ("status", "is_final"),
    [
        ("NEW", False),
        ("PARTIALLY_FILLED", False),
        ("FILLED", True),
        ("CANCELED", True),
        ("EXPIRED", True),
        ("EXPIRED_IN_MATCH", True),
        ("REJECTED", True),
        ("SOMETHING_NEW", False),
    ],
)
def test_only_known_ends_are_final(status: str, *, is_final: bool) -> None:
    assert report(status=status).is_final is is_final


def test_a_symbol_with_an_odd_price_takes_no_other_away() -> None:
    rows = [
        {"symbol": "BTCUSDT", "markPrice": "60000.12345678", "time": AT_MS},
        *({"symbol": f"ODD{text}", "markPrice": text, "time": 0} for text in ("", "0", "-1", "NaN", "x", "1e400")),
    ]
    found = parsing.prices_of(read(rows, list[answers.PriceRow]))
    assert {symbol: (price.mark, price.at) for symbol, price in found.items()} == {
        "BTCUSDT": (Decimal("60000.12345678"), AT)
    }


def info(*filters: dict[str, Any], **more: Any) -> answers.ExchangeInfo:
    found: answers.ExchangeInfo = read(
        {"symbols": [{"symbol": "BTCUSDT", "filters": filters}], **more}, answers.ExchangeInfo
    )
    return found


LOT = {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"}
MARKET_LOT = {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120.0005", "stepSize": "0.001"}
TICK = {"filterType": "PRICE_FILTER", "tickSize": "0.10", "minPrice": "556.80", "maxPrice": "4529764"}
NOTIONAL = {"filterType": "MIN_NOTIONAL", "notional": "100"}
OTHER = {"filterType": "MAX_NUM_ORDERS", "limit": 200}


def test_the_rules_of_market_orders_are_the_narrower_of_both_filters() -> None:
    rules = parsing.rules_of(info(LOT, MARKET_LOT, TICK, NOTIONAL, OTHER))["BTCUSDT"]
    assert (rules.step, rules.market_min, rules.market_max) == (Decimal("0.001"), Decimal("0.001"), Decimal(120))
    assert (rules.price_tick, rules.min_notional) == (Decimal("0.10"), Decimal(100))


def test_a_step_of_zero_says_see_the_other_filter() -> None:
    rules = parsing.rules_of(info(LOT, MARKET_LOT | {"stepSize": "0.00000000"}, TICK))["BTCUSDT"]
    assert rules.step == Decimal("0.001")
    assert rules.min_notional == 0


@pytest.mark.parametrize(
    "filters", [(), (LOT,), (TICK,), (LOT | {"stepSize": "x"}, TICK), (LOT | {"maxQty": "0"}, TICK)]
)
def test_rules_that_tell_nothing_are_refused(filters: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(BadPayload):
        parsing.rules_of(info(*filters))


def test_the_limit_of_weight_is_the_exchanges_own_where_it_says_one() -> None:
    limits = [
        {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 1200},
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
    ]
    assert parsing.weight_limit_of(info(LOT, TICK, rateLimits=limits)) == 6000
    assert parsing.weight_limit_of(info(LOT, TICK)) is None


def test_fills_rates_and_restrictions_are_read() -> None:
    row = {
        "id": 7,
        "orderId": 8,
        "price": "60000.1",
        "qty": "0.01",
        "commission": "0.24000040",
        "commissionAsset": "USDT",
        "realizedPnl": "-0.10000000",
        "time": AT_MS,
    }
    (fill,) = parsing.fills_of(read([row], list[answers.TradeRow]))
    assert (fill.trade_id, fill.order_id, fill.at) == (7, 8, AT)
    assert str(fill.commission) == "0.24000040"
    assert str(fill.realised) == "-0.10000000"
    rates = read({"symbol": "X", "takerCommissionRate": "0.0005", "makerCommissionRate": "0.0002"}, answers.RateRow)
    assert parsing.rates_of(rates) == Rates(Decimal("0.0005"), Decimal("0.0002"))
    rights = {"enableWithdrawals": True, "enableFutures": True, "enableReading": True, "ipRestrict": False}
    assert parsing.restrictions_of(read(rights, answers.RestrictionsRow)).can_withdraw is True


@pytest.mark.parametrize("tran_id", [9_689_322_392, "9689322392"])
def test_a_transfers_id_may_be_text_or_a_number(tran_id: Any) -> None:
    row = {"incomeType": "TRANSFER", "income": "1", "asset": "USDT", "time": AT_MS, "tranId": tran_id, "symbol": ""}
    (income,) = parsing.income_of(read([row], list[answers.IncomeRow]))
    assert (income.tran_id, income.symbol) == ("9689322392", "")


def test_a_key_whose_rights_are_not_told_is_refused() -> None:
    """Whether it may withdraw must be known, not guessed."""
    with pytest.raises(BadPayload):
        read({"enableFutures": True, "enableReading": True, "ipRestrict": False}, answers.RestrictionsRow)


def test_a_report_of_another_order_says_nothing_of_this_one() -> None:
    with pytest.raises(BadPayload, match="another order: a-2"):
        report(clientOrderId="a-2")


@pytest.mark.parametrize("number", [2**63, -1])
def test_a_number_of_an_order_that_can_not_be_one_is_refused(number: int) -> None:
    with pytest.raises(BadPayload):
        report(orderId=number)
