"""Orders on the simulated exchange: which are taken, and what becomes of them."""

from typing import Any

import pytest

from tests.unit.simulators.binance.trader import Trader

ORDER = "/fapi/v1/order"
LIMIT = {"type": "LIMIT", "timeInForce": "GTC"}


def test_both_legs_are_closed_at_the_mark_price(trader: Trader) -> None:
    trader.hold("LONG", "0.5", "59000")
    trader.hold("SHORT", "0.3", "61000")
    assert trader.held() == {"LONG": "0.500", "SHORT": "-0.300"}
    trader.control("prices", {"BTCUSDT": "60001.5"})
    first = trader.order("SELL", "LONG", "0.5", newClientOrderId="op1-L-1").body
    second = trader.order("BUY", "SHORT", "0.300", newClientOrderId="op1-S-1").body
    assert (first["status"], first["executedQty"], first["clientOrderId"]) == ("FILLED", "0.500", "op1-L-1")
    assert float(first["avgPrice"]) == float(second["avgPrice"]) == 60001.5
    assert trader.held() == {}
    realised = [(fill["position_side"], fill["realized_pnl"]) for fill in trader.book()["fills"]]
    assert realised == [("LONG", "500.75000000"), ("SHORT", "299.55000000")]


def test_a_short_position_is_negative_in_amount_and_notional(trader: Trader) -> None:
    trader.hold("SHORT", "0.3", "61000")
    (row,) = trader.get("/fapi/v3/positionRisk").body
    assert (row["positionAmt"], row["notional"], row["unRealizedProfit"]) == (
        "-0.300",
        "-18000.00000000",
        "300.00000000",
    )


def test_an_order_that_opens_averages_the_entry(trader: Trader) -> None:
    trader.hold("LONG", "0.5", "59000")
    assert trader.order("BUY", "LONG", "0.5").body["status"] == "FILLED"
    (row,) = trader.get("/fapi/v3/positionRisk").body
    assert (row["positionAmt"], row["entryPrice"]) == ("1.000", "59500.00000000")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"symbol": "NONEUSDT"}, -1121),
        ({"side": "HOLD"}, -1117),
        ({"type": "MAGIC"}, -1116),
        ({"type": "STOP_MARKET"}, -4120),
        ({"positionSide": "BOTH"}, -4061),
        ({"positionSide": "UP"}, -4060),
        ({"reduceOnly": "true"}, -1106),
        ({"timeInForce": "GTC"}, -1106),
        ({"quantity": ""}, -1102),
        ({"quantity": "1e-05"}, -1100),
        ({"quantity": "-0.1"}, -1100),
        ({"quantity": "0"}, -4003),
        ({"quantity": "0.0005"}, -1111),
        ({"quantity": "121"}, -4005),
        ({"quantity": "0.501"}, -2022),
        ({"side": "BUY", "positionSide": "SHORT"}, -2022),
        ({"side": "BUY", "quantity": "0.001"}, -4164),
        ({"side": "BUY", "quantity": "100"}, -2019),
        ({"newClientOrderId": "x" * 37}, -1100),
        ({"newClientOrderId": "é"}, -1100),
        (LIMIT, -1102),
        ({**LIMIT, "price": "60000.05"}, -1111),
        ({**LIMIT, "price": "60000", "timeInForce": "NOW"}, -1115),
    ],
)
def test_a_wrong_order_is_refused_by_its_code_and_changes_nothing(
    trader: Trader, wanted: dict[str, Any], code: int
) -> None:
    trader.hold("LONG", "0.5")
    right = {"symbol": "BTCUSDT", "side": "SELL", "positionSide": "LONG", "type": "MARKET", "quantity": "0.1"}
    answer = trader.post(ORDER, **{**right, **wanted})
    assert (answer.status, answer.code) == (400, code)
    assert trader.held() == {"LONG": "0.500"}
    assert trader.book()["orders"] == []


def test_a_close_may_be_smaller_than_an_opening_order(trader: Trader) -> None:
    """0.001 BTC is under the least notional; closing is free of it."""
    trader.hold("LONG", "0.001")
    assert trader.close_long("0.001").body["status"] == "FILLED"


def test_a_filled_client_id_may_be_used_again_and_an_open_one_not(trader: Trader) -> None:
    trader.hold("LONG", "0.5")
    assert trader.close_long("0.1", newClientOrderId="same").status == 200
    again = trader.close_long("0.1", newClientOrderId="same")
    assert again.status == 200
    asked = trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="same").body
    assert asked["orderId"] == again.body["orderId"]
    assert trader.close_long("0.1", newClientOrderId="open", price="70000", **LIMIT).body["status"] == "NEW"
    assert trader.close_long("0.1", newClientOrderId="open").code == -4116


def test_what_is_not_asked_for_in_full_is_only_acknowledged(trader: Trader) -> None:
    trader.hold("LONG", "0.5")
    made = trader.close_long("0.5", newOrderRespType="ACK").body
    assert (made["status"], made["executedQty"]) == ("NEW", "0.000")
    asked = trader.get(ORDER, symbol="BTCUSDT", orderId=made["orderId"]).body
    assert (asked["status"], asked["executedQty"], "cumQty" in asked) == ("FILLED", "0.500", False)


def test_an_order_that_there_is_not_is_said_to_be_none(trader: Trader) -> None:
    assert trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="none").code == -2013
    assert trader.get(ORDER, symbol="BTCUSDT").code == -1102
    assert trader.delete(ORDER, symbol="BTCUSDT", orderId=1).code == -2011


def test_a_limit_order_rests_until_its_price_comes(trader: Trader) -> None:
    trader.hold("LONG", "0.5", "59000")
    resting = trader.close_long("0.5", price="60500", **LIMIT).body
    assert [row["orderId"] for row in trader.get("/fapi/v1/openOrders").body] == [resting["orderId"]]
    trader.control("prices", {"BTCUSDT": 60600})
    assert trader.held() == {}
    (fill,) = trader.get("/fapi/v1/userTrades", symbol="BTCUSDT").body
    assert (fill["price"], fill["maker"], fill["commission"]) == ("60500", True, "6.05000000")


def test_a_resting_order_can_be_cancelled(trader: Trader) -> None:
    resting = trader.order("BUY", "LONG", "0.1", price="50000", **LIMIT).body
    assert trader.delete(ORDER, symbol="BTCUSDT", orderId=resting["orderId"]).body["status"] == "CANCELED"
    assert trader.get("/fapi/v1/openOrders").body == []
    assert [row["status"] for row in trader.get("/fapi/v1/allOrders", symbol="BTCUSDT").body] == ["CANCELED"]


def test_one_way_mode_has_one_position_a_symbol(trader: Trader) -> None:
    dual = "/fapi/v1/positionSide/dual"
    assert trader.get(dual).body == {"dualSidePosition": True}
    assert trader.post(dual, dualSidePosition="true").code == -4059
    assert trader.post(dual, dualSidePosition="false").status == 200
    assert trader.order("BUY", "LONG", "0.1").code == -4061
    bought = {"symbol": "BTCUSDT", "type": "MARKET", "quantity": "0.1"}
    assert trader.post(ORDER, side="BUY", **bought).status == 200
    assert trader.post(dual, dualSidePosition="true").code == -4068
    assert trader.post(ORDER, side="SELL", reduceOnly="true", **bought).status == 200
    assert trader.post(ORDER, side="SELL", reduceOnly="true", **bought).code == -2022
    assert trader.post(ORDER, side="SELL", **bought).status == 200
    assert trader.post(ORDER, side="BUY", **{**bought, "quantity": "0.3"}).status == 200
    assert trader.held() == {"BOTH": "0.200"}
