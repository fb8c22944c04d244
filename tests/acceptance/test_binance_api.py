"""The API of auto-close on a real hub and the simulated exchange."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.acceptance.calls import Answer
from tests.acceptance.trading import ACCOUNT, API, Trading, trading
from tests.servers import wait_until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trading]:
    with trading(tmp_path_factory.mktemp("trading")) as house:
        yield house


def field_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["error"].get("field", "")


def closed(house: Trading, symbol: str, *, name: str = "") -> str:
    """An operation that has reached its target, and is over."""
    house.price(**{symbol: "100"})
    house.hold(symbol, long="90", short="105")
    id_ = house.operation(symbol, "5", name=name)
    house.look_until(id_, state="closed")
    return id_


def test_an_account_is_shown_without_its_key_and_secret(house: Trading) -> None:
    (account,) = house.client.items(f"{API}/accounts")
    assert account["name"] == "main"
    text = house.client.get(f"{API}/accounts").text
    assert ACCOUNT["api_key"] not in text
    assert ACCOUNT["api_secret"] not in text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "other", "api_key": "nobody-knows-it"}, "api_key"),
        ({"name": "other", "api_secret": "wrong-secret"}, "api_secret"),
        ({"name": "other", "api_key": "\u0092"}, "api_key"),
        ({"name": "other", "api_secret": ""}, "api_secret"),
        ({"name": " "}, "name"),
        ({"name": "other", "balance": "1"}, "body"),
    ],
)
def test_an_account_that_the_exchange_refuses_names_the_field(
    house: Trading, changes: dict[str, str], field: str
) -> None:
    answer = house.client.post(f"{API}/accounts", {**ACCOUNT, **changes})
    assert answer.status == 422
    assert answer.json["error"]["field"] in {field, "balance"}


def test_a_key_that_may_withdraw_is_refused(house: Trading) -> None:
    account = {"api_key": "withdrawing-key", "api_secret": "its-secret"}
    house.simulator.post("/_sim/accounts", {**account, "can_withdraw": True})
    answer = house.client.post(f"{API}/accounts", {"name": "rich", **account})
    assert field_of(answer) == (422, "api_key")
    assert [each["name"] for each in house.client.items(f"{API}/accounts")] == ["main"]


def test_an_account_with_operations_stays(house: Trading) -> None:
    id_ = house.operation("LTCUSDT", "5", auto_close_enabled=False)
    assert house.client.request("DELETE", f"{API}/accounts/main").status == 409
    assert house.client.request("DELETE", f"{API}/operations/{id_}").status == 204
    assert house.client.request("DELETE", f"{API}/accounts/nobody").status == 404


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"profit_target": "1e3"}, "profit_target"),
        ({"profit_target": 5}, "profit_target"),
        ({"profit_target": "-5"}, "profit_target"),
        ({"stop_loss": "x"}, "stop_loss"),
        ({"trailing": "0"}, "trailing"),
        ({"symbol": "NOTHING"}, "symbol"),
        ({"account": "nobody"}, "account"),
    ],
)
def test_a_wrong_field_of_an_operation_is_named(house: Trading, changes: dict[str, object], field: str) -> None:
    wanted = {"account": "main", "symbol": "DOTUSDT", "profit_target": "5", "auto_close_enabled": True}
    assert field_of(house.client.post(f"{API}/operations", {**wanted, **changes})) == (422, field)


def test_one_operation_for_each_account_and_symbol(house: Trading) -> None:
    id_ = house.operation("TRXUSDT", "5")
    wanted = {"account": "main", "symbol": "trxusdt", "profit_target": "7", "auto_close_enabled": True}
    assert house.client.post(f"{API}/operations", wanted).status == 409
    house.client.request("DELETE", f"{API}/operations/{id_}")
    assert house.client.get(f"{API}/operations/{id_}").status == 404


def test_an_operation_is_changed_stopped_and_shown_with_all_digits(house: Trading) -> None:
    house.price(XRPUSDT="0.6")
    house.hold("XRPUSDT", long="0.5123", short="0.6543", quantity="10")
    id_ = house.operation("XRPUSDT", "99.123456789012", stop_loss="30", trailing="1.5")
    found = house.look_until(id_, current_pnl="1.414")
    assert found["profit_target"] == "99.123456789012"
    parts = {name: Decimal(found["result"][name]) for name in ("gross", "fees", "funding", "net")}
    assert parts["net"] == parts["gross"] - parts["fees"] + parts["funding"] == Decimal(found["current_pnl"])
    changed = house.client.send(
        "PATCH", f"{API}/operations/{id_}", {"auto_close_enabled": False, "stop_loss": None, "gross": True}
    )
    assert changed.status == 200
    assert (changed.json["standing"], changed.json["stop_loss"], changed.json["gross"]) == ("stopped", None, True)
    assert changed.json["trailing"] == "1.5"
    wrong = house.client.send("PATCH", f"{API}/operations/{id_}", {"profit_target": None})
    assert field_of(wrong) == (422, "profit_target")
    house.client.request("DELETE", f"{API}/operations/{id_}")


def test_what_reached_its_target_is_history_with_the_exchanges_own_money(house: Trading) -> None:
    id_ = closed(house, "LINKUSDT", name="=SUM(1)")
    (trade,) = house.client.items(f"{API}/history?symbol=LINKUSDT")
    assert (trade["id"], trade["state"], trade["reason"]) == (id_, "closed", "target")
    book = house.simulator.get("/_sim/book").json["fills"]
    mine = [fill for fill in book if fill["symbol"] == "LINKUSDT"]
    assert Decimal(trade["realised"]) == sum(Decimal(fill["realized_pnl"]) for fill in mine)
    assert Decimal(trade["fees"]) == sum(Decimal(fill["commission"]) for fill in mine)
    kinds = [event["kind"] for event in house.client.items(f"{API}/operations/{id_}/events?limit=2")]
    assert (kinds[0], kinds[-1]) == ("closed", "created")
    assert len(house.one(id_)["orders"]) == 2


def test_the_history_is_filtered_summed_up_and_exported(house: Trading) -> None:
    ids = {closed(house, "SOLUSDT", name="=SUM(1)"), closed(house, "AVAXUSDT")}
    answer = house.client.get(f"{API}/history?account=main&limit=1").json
    assert answer["next"] is not None
    totals = answer["totals"]
    assert totals["count"] == sum(each["count"] for each in totals["by_symbol"]) >= 2
    assert {"SOLUSDT", "AVAXUSDT"} <= {each["symbol"] for each in totals["by_symbol"]}
    assert ids <= {each["id"] for each in house.client.items(f"{API}/history?limit=1")}
    assert house.client.items(f"{API}/history?day=2001-01-01") == []
    exported = house.client.get(f"{API}/history.csv?symbol=SOLUSDT")
    assert exported.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(exported.body.decode("utf-8-sig")))
    assert Decimal(row["net"]) == Decimal(row["realised"]) - Decimal(row["fees"]) + Decimal(row["funding"])
    assert row["name"] == "'=SUM(1)"


@pytest.mark.parametrize("query", ["day=yesterday", "since=2026-01-01T00:00", "tz=Mars", "limit=0", "symbol=%07"])
def test_a_wrong_question_to_the_history_names_its_field(house: Trading, query: str) -> None:
    assert field_of(house.client.get(f"{API}/history?{query}")) == (422, query.partition("=")[0])


def test_an_operation_is_closed_now_without_waiting_for_a_signal(house: Trading) -> None:
    house.price(ADAUSDT="0.45")
    house.hold("ADAUSDT", long="0.44", short="0.45", quantity="10")
    id_ = house.operation("ADAUSDT", "900", auto_close_enabled=False)
    answer = house.client.post(f"{API}/operations/{id_}/close", {})
    assert (answer.status, answer.json["wanted"]) == (202, "by_hand")
    wait_until(lambda: house.one(id_)["state"] == "closed", what="closed")
    assert house.one(id_)["reason"] == "by_hand"


def test_a_close_that_could_not_be_made_at_once_goes_on_without_a_signal(house: Trading) -> None:
    house.price(BNBUSDT="600")
    house.hold("BNBUSDT", long="590", short="600")
    id_ = house.operation("BNBUSDT", "900")
    house.simulator.post("/_sim/faults", {"order_503_not_done": {"value": True, "times": 2}})
    try:
        house.client.post(f"{API}/operations/{id_}/close", {})
        wait_until(lambda: house.one(id_)["state"] == "closed", what="closed")
    finally:
        house.simulator.post("/_sim/faults", {})


def test_panic_asks_twice_closes_what_is_not_a_dry_run_and_is_on_the_audit_log(house: Trading) -> None:
    house.price(BTCUSDT="60000", ETHUSDT="3000")
    house.hold("BTCUSDT", long="60000", short="60000", quantity="0.01")
    house.hold("ETHUSDT", long="3000", short="3000")
    btc, dry = house.operation("BTCUSDT", "900"), house.operation("ETHUSDT", "900", dry_run=True)
    first = house.client.post(f"{API}/panic", {})
    assert first.status == 200
    assert [each["id"] for each in first.json["would_close"]] == [btc]
    assert house.one(btc)["wanted"] is None
    assert field_of(house.client.post(f"{API}/panic", {"token": "no token"})) == (422, "token")
    others = house.hub.client("trading").post(f"{API}/panic", {"token": first.json["token"]})
    assert field_of(others) == (422, "token")
    second = house.client.post(f"{API}/panic", {"token": first.json["token"]})
    assert second.status == 202
    assert [each["id"] for each in second.json["dry_runs"]] == [dry]
    wait_until(lambda: house.one(btc)["state"] == "closed", what="closed")
    assert house.one(btc)["reason"] == "panic"
    assert house.one(dry)["state"] == "active"
    assert "binance.panic" in {each["action"] for each in house.client.items("/api/audit")}
    house.client.request("DELETE", f"{API}/operations/{dry}")


def test_who_may_only_read_changes_nothing(house: Trading) -> None:
    reader = house.hub.client("read")
    assert reader.get(f"{API}/operations").status == 200
    for method, path in (("POST", "operations"), ("POST", "panic"), ("POST", "accounts"), ("DELETE", "accounts/main")):
        assert reader.request(method, f"{API}/{path}", body=b"{}").status == 403
    assert house.hub.client("write").post(f"{API}/panic", {}).status == 403
