"""Each fault of the simulated exchange does what its name says."""

import http.client
from pathlib import Path
from typing import Any

import pytest

from atalaia_simulators.binance.faults import KNOWN
from tests.servers import wait_until
from tests.stillness import unhurried
from tests.unit.simulators.binance.trader import Trader

GUIDE = Path(__file__).resolve().parents[4] / "docs" / "integrations" / "binance-simulator.md"
ORDER = "/fapi/v1/order"
UNKNOWN = "Unknown error, please check your request or try again later."
ALL: dict[str, str] = {}
NOTHING = {"LONG": "0.500"}


@pytest.fixture
def trader(trader: Trader) -> Trader:
    """Who has something to close."""
    trader.hold("LONG", "0.5", "59000")
    return trader


def once(name: str, value: Any = True, **more: Any) -> dict[str, Any]:
    return {name: {"value": value, "times": 1, **more}}


@pytest.mark.parametrize(
    ("fault", "status", "code", "held"),
    [
        (once("order_503_done"), 503, None, ALL),
        (once("order_503_not_done"), 503, None, NOTHING),
        (once("order_1007_done"), 408, -1007, ALL),
        (once("order_1007_not_done"), 408, -1007, NOTHING),
        (once("overloaded"), 503, -1008, NOTHING),
        (once("service_unavailable"), 503, None, NOTHING),
        (once("duplicate_client_id"), 400, -4116, NOTHING),
        (once("refuse_leg", "LONG"), 400, -2022, NOTHING),
        (once("refuse_leg", "LONG", code=-2019), 400, -2019, NOTHING),
        (once("key_refused"), 401, -2015, NOTHING),
    ],
)
def test_an_answer_may_tell_less_than_was_done(
    trader: Trader, fault: dict[str, Any], status: int, code: int | None, held: dict[str, str]
) -> None:
    trader.control("faults", fault)
    answer = trader.close_long("0.5")
    assert (answer.status, answer.code) == (status, code)
    assert trader.held() == held
    assert len(trader.book()["fills"]) == (0 if held else 1)
    assert trader.ask("/_sim/faults").body["on"] == {}


def test_both_503_are_told_apart_by_their_words_alone(trader: Trader) -> None:
    trader.control("faults", {**once("order_503_done")})
    assert trader.close_long("0.1").body == {"msg": UNKNOWN}
    trader.control("faults", {**once("service_unavailable")})
    assert trader.close_long("0.1").body == {"msg": "Service Unavailable."}


@pytest.mark.parametrize(
    ("fault", "held"),
    [
        (once("cut_after_accept"), ALL),
        (once("cut_before_accept"), NOTHING),
        (once("timeout_after_accept", 0.05), ALL),
        (once("timeout_before_accept", 0.05), NOTHING),
    ],
)
def test_silence_may_come_after_the_deed_or_before_it(
    trader: Trader, fault: dict[str, Any], held: dict[str, str]
) -> None:
    trader.control("faults", fault)
    with pytest.raises((http.client.HTTPException, OSError)):
        trader.close_long("0.5")
    assert trader.held() == held


def test_an_order_may_be_done_when_nobody_waits_any_longer(trader: Trader) -> None:
    def scene(slower: float) -> None:
        id_ = f"late-{slower:g}"
        trader.hold("LONG", "0.5", "59000")
        trader.control("faults", once("late_accept_s", 0.2 * slower))
        assert trader.close_long("0.5", newClientOrderId=id_).body == {"msg": UNKNOWN}
        assert trader.get(ORDER, symbol="BTCUSDT", origClientOrderId=id_).code == -2013
        wait_until(lambda: trader.held() == {}, what="the late order", timeout_s=60)
        assert trader.get(ORDER, symbol="BTCUSDT", origClientOrderId=id_).body["status"] == "FILLED"

    unhurried(scene, bears_s=0.1)


def test_an_order_is_never_done_after_its_window(trader: Trader) -> None:
    def scene(slower: float) -> None:
        before, id_ = len(trader.book()["fills"]), f"later-{slower:g}"
        trader.hold("LONG", "0.5", "59000")
        trader.control("faults", once("late_accept_s", 0.3 * slower))
        assert trader.close_long("0.5", recvWindow=round(100 * slower)).status == 503
        trader.control("faults", once("late_accept_s", 0.4 * slower))
        assert trader.close_long("0.1", newClientOrderId=id_, recvWindow=60_000).status == 503
        wait_until(lambda: len(trader.book()["fills"]) > before, what="the later order", timeout_s=60)
        assert [fill["client_order_id"] for fill in trader.book()["fills"][before:]] == [id_]

    unhurried(scene, bears_s=0.05)


def test_a_refused_leg_leaves_the_other_alone(trader: Trader) -> None:
    trader.hold("SHORT", "0.3", "61000")
    trader.control("faults", {"refuse_leg": {"value": "SHORT", "code": -2019}})
    assert trader.close_long("0.5").status == 200
    assert trader.order("BUY", "SHORT", "0.3").code == -2019
    assert trader.held() == {"SHORT": "-0.300"}
    trader.control("faults", {"refuse_leg": None})
    assert trader.order("BUY", "SHORT", "0.3").status == 200


def test_a_market_order_may_be_filled_in_part(trader: Trader) -> None:
    trader.control("faults", once("partial_fill", 0.4))
    done = trader.close_long("0.5").body
    assert (done["status"], done["executedQty"]) == ("EXPIRED", "0.200")
    assert trader.held() == {"LONG": "0.300"}


def test_the_answer_to_an_order_may_lack_its_price(trader: Trader) -> None:
    trader.control("faults", once("no_avg_price"))
    assert not {"avgPrice", "cumQuote"} & set(trader.close_long("0.1", newClientOrderId="bare").body)
    assert float(trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="bare").body["avgPrice"]) == 60000


def test_what_is_fresh_may_not_be_seen_yet(trader: Trader) -> None:
    trader.control("faults", {"unseen_s": 60})
    trader.close_long("0.1", newClientOrderId="fresh")
    assert trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="fresh").code == -2013
    assert trader.get("/fapi/v1/userTrades", symbol="BTCUSDT").body == []
    assert trader.get("/fapi/v1/income").body == []
    trader.control("faults", {"unseen_s": None})
    assert trader.get(ORDER, symbol="BTCUSDT", origClientOrderId="fresh").status == 200
    assert len(trader.get("/fapi/v1/userTrades", symbol="BTCUSDT").body) == 1


@pytest.mark.parametrize(("fault", "status"), [("ban_s", 418), ("rate_limit_s", 429)])
def test_a_ban_is_of_the_address_and_lasts(trader: Trader, fault: str, status: int) -> None:
    trader.control("faults", {fault: {"value": 30, "only": {"path": "/order"}}})
    assert trader.ask("/fapi/v1/ping").status == 200
    answer = trader.close_long("0.5")
    assert (answer.status, answer.code) == (status, -1003)
    assert 28 <= int(answer.headers["Retry-After"]) <= 30
    assert trader.ask("/fapi/v1/ping").status == status
    assert trader.control("faults", {}).status == 200
    assert trader.held() == NOTHING


def test_answers_can_be_slow(trader: Trader) -> None:
    trader.control("faults", {"answer_delay_ms": {"value": 100, "only": {"path": "/ping"}}})
    started_ms = trader.now_ms()
    trader.ask("/fapi/v1/ping")
    assert trader.now_ms() - started_ms >= 100


def test_answers_can_come_in_another_form(trader: Trader) -> None:
    trader.control("faults", once("changed_shape"))
    assert set(trader.get("/fapi/v3/positionRisk").body) == {"data"}


def test_a_fault_can_be_for_one_account_symbol_leg_or_path(trader: Trader) -> None:
    trader.hold("LONG", "1", symbol="ETHUSDT")
    for only in ({"symbol": "ETHUSDT"}, {"api_key": "another"}, {"position_side": "SHORT"}, {"path": "/userTrades"}):
        trader.control("faults", {"overloaded": {"only": only}})
        assert trader.close_long("0.1").status == 200
    trader.control("faults", {"overloaded": {"only": {"symbol": "ETHUSDT", "method": "POST"}}})
    assert trader.close_long("0.5", symbol="ETHUSDT").code == -1008
    assert trader.get(ORDER, symbol="ETHUSDT", orderId=1).code == -2013


def test_a_fault_strikes_only_what_it_could_do(trader: Trader) -> None:
    """An order that is refused anyway uses up no `order_503_done`."""
    trader.control("faults", once("order_503_done"))
    assert trader.close_long("0.6").code == -2022
    assert trader.close_long("0.5").status == 503


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"order503": True}, "'order_503_done'"),
        ({"refuse_leg": "BOTH"}, "refuse_leg takes LONG or SHORT"),
        ({"refuse_leg": {"value": "LONG", "code": -1}}, "codes"),
        ({"refuse_leg": {"value": "LONG", "code": "x"}}, "codes"),
        ({"partial_fill": 1.5}, "a number between 0 and 1"),
        ({"ban_s": -1}, "ban_s takes a number"),
        ({"overloaded": {"only": {"colour": "red"}}}, "only takes symbol"),
        ({"overloaded": {"times": 0}}, "times"),
        ([], "an object"),
    ],
)
def test_a_fault_that_there_is_not_is_refused_by_name(trader: Trader, wanted: Any, words: str) -> None:
    answer = trader.control("faults", wanted)
    assert answer.status == 400
    assert words in answer.body["error"]
    assert trader.ask("/_sim/faults").body["on"] == {}


def test_everything_is_on_the_log_with_its_answer(trader: Trader) -> None:
    trader.control("faults", once("order_503_done"))
    trader.close_long("0.5", newClientOrderId="noted")
    last = trader.ask("/_sim/log").body[-1]
    assert (last["method"], last["path"], last["status"], last["api_key"]) == ("POST", ORDER, 503, "simulated-key")
    assert "newClientOrderId=noted" in last["raw"]


def test_a_reset_is_a_first_day(trader: Trader) -> None:
    trader.control("faults", {"overloaded": True})
    trader.control("prices", {"BTCUSDT": "1"})
    trader.control("reset", {})
    assert trader.held() == {}
    assert trader.book()["orders"] == []
    assert trader.ask("/_sim/prices").body["BTCUSDT"] == "60000"
    assert [entry["path"] for entry in trader.ask("/_sim/log").body] == ["/fapi/v3/positionRisk"]


def test_what_there_is_not_is_refused(trader: Trader) -> None:
    answer = trader.ask("/fapi/v1/nothing")
    assert (answer.status, answer.code) == (404, -5000)


def test_each_fault_is_in_the_guide() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    assert [name for name in KNOWN if f"| `{name}` |" not in guide] == []
