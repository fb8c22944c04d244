"""What the simulated exchange remembers agrees, to the last decimal."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia_simulators.binance import DEFAULT_KEY, Options
from atalaia_simulators.binance.endpoints import ENDPOINTS, ORDER
from atalaia_simulators.binance.errors import Refusal
from atalaia_simulators.binance.exchange import BALANCE, Call, Exchange
from tests.unit.simulators.binance.trader import Trader

TRADES, INCOME = "/fapi/v1/userTrades", "/fapi/v1/income"


@pytest.fixture
def options() -> Options:
    return Options(fills=3, slip_ticks=2)


def test_a_market_order_in_parts_has_a_trade_for_each(trader: Trader) -> None:
    trader.hold("LONG", "0.5", "59000")
    done = trader.close_long("0.5").body
    trades = trader.get(TRADES, symbol="BTCUSDT", orderId=done["orderId"]).body
    assert [(trade["qty"], Decimal(trade["price"])) for trade in trades] == [
        ("0.166", Decimal("60000.0")),
        ("0.167", Decimal("59999.8")),
        ("0.167", Decimal("59999.6")),
    ]
    assert sum(Decimal(trade["quoteQty"]) for trade in trades) == Decimal(done["cumQuote"])


def test_each_account_pays_its_own_fee_in_its_own_asset(trader: Trader) -> None:
    trader.control("accounts", {"api_key": "simulated-key", "api_secret": "simulated-secret", "taker": "0.0004"})
    trader.hold("LONG", "1", "59000")
    trader.close_long("0.5")
    trader.control("accounts", {"api_key": "simulated-key", "api_secret": "simulated-secret", "fee_asset": "BNB"})
    trader.close_long("0.5")
    rate = trader.get("/fapi/v1/commissionRate", symbol="BTCUSDT").body
    assert rate["takerCommissionRate"] == "0.0004"
    fees = [(fill["commission"], fill["commission_asset"]) for fill in trader.book()["fills"]]
    assert fees == [
        ("3.98400000", "USDT"),
        ("4.00798664", "USDT"),
        ("4.00797328", "USDT"),
        ("0.00597600", "BNB"),
        ("0.00601198", "BNB"),
        ("0.00601196", "BNB"),
    ]


def test_funding_is_paid_by_who_is_long_to_who_is_short(trader: Trader) -> None:
    trader.hold("LONG", "0.5")
    trader.hold("SHORT", "0.2")
    trader.control("funding", {"BTCUSDT": "0.0001"})
    rows = trader.get(INCOME, incomeType="FUNDING_FEE").body
    assert [row["income"] for row in rows] == ["-3.00000000", "1.20000000"]
    (account,) = trader.book()["accounts"]
    assert Decimal(account["balance"]) == BALANCE - Decimal("1.8")


def test_records_are_given_oldest_first_and_as_many_as_are_asked_for(trader: Trader) -> None:
    trader.hold("LONG", "0.5")
    for _ in range(3):
        trader.close_long("0.1")
    ids = [trade["id"] for trade in trader.get(TRADES, symbol="BTCUSDT").body]
    assert ids == sorted(ids)
    assert len(ids) == 9
    newest = trader.get(TRADES, symbol="BTCUSDT", limit=2).body
    assert [trade["id"] for trade in newest] == ids[-2:]
    after = trader.get(TRADES, symbol="BTCUSDT", fromId=ids[3], limit=2).body
    assert [trade["id"] for trade in after] == ids[3:5]
    assert trader.get(TRADES, symbol="ETHUSDT").body == []
    assert trader.get(TRADES).code == -1102


def test_a_span_of_trades_is_a_week_at_most(trader: Trader) -> None:
    now_ms, week_ms = trader.now_ms(), 7 * 24 * 3600 * 1000
    assert trader.get(TRADES, symbol="BTCUSDT", startTime=now_ms - week_ms, endTime=now_ms).status == 200
    assert trader.get(TRADES, symbol="BTCUSDT", startTime=now_ms - week_ms - 1, endTime=now_ms).code == -4165


def test_income_has_pages(trader: Trader) -> None:
    trader.hold("LONG", "0.5")
    trader.close_long("0.5")
    every = trader.get(INCOME).body
    assert [row["incomeType"] for row in every] == ["COMMISSION", "REALIZED_PNL"] * 3
    assert trader.get(INCOME, limit=4, page=2).body == every[4:]
    assert trader.get(INCOME, startTime=every[0]["time"], limit=2).body == every[:2]
    assert trader.get(INCOME, symbol="ETHUSDT").body == []


def test_an_account_sees_nothing_of_another(trader: Trader) -> None:
    other = Trader(trader.url, key="second", secret="its own")
    trader.control("accounts", {"api_key": "second", "api_secret": "its own", "balance": "50"})
    trader.hold("LONG", "0.5", api_key="second")
    assert other.held() == {"LONG": "0.500"}
    assert trader.held() == {}
    assert other.close_long("0.5").status == 200
    assert trader.get(TRADES, symbol="BTCUSDT").body == []
    assert {fill["api_key"] for fill in trader.book()["fills"]} == {"second"}
    assert trader.ask("/_sim/book?api_key=simulated-key").body["fills"] == []


def test_what_a_key_may_do_is_told(trader: Trader) -> None:
    path = "/sapi/v1/account/apiRestrictions"
    assert trader.get(path).body["enableWithdrawals"] is False
    trader.control("accounts", {"api_key": "rich", "api_secret": "s", "can_withdraw": True})
    assert Trader(trader.url, key="rich", secret="s").get(path).body["enableWithdrawals"] is True


MOVES = st.lists(
    st.tuples(
        st.sampled_from(["BUY", "SELL"]),
        st.sampled_from(["LONG", "SHORT"]),
        st.integers(1, 3000),
        st.integers(500_000, 700_000),
    ),
    max_size=25,
)


@given(moves=MOVES)
def test_the_wallet_is_what_was_won_without_what_was_paid(moves: list[tuple[str, str, int, int]]) -> None:
    exchange = Exchange(Options(fills=3, slip_ticks=1))
    account = exchange.book.accounts[DEFAULT_KEY]
    for number, (side, position_side, thousandths, tenths) in enumerate(moves):
        exchange.prices.set("BTCUSDT", Decimal(tenths) / 10)
        wanted = {"symbol": "BTCUSDT", "side": side, "positionSide": position_side, "type": "MARKET"}
        quantity = f"{thousandths / 1000:.3f}"
        try:
            ENDPOINTS[ORDER].handler(exchange, Call(*ORDER, {**wanted, "quantity": quantity}, number, account))
        except Refusal:
            continue
    fills = account.fills.get("BTCUSDT", [])
    assert account.wallet == BALANCE + sum(fill.realised - fill.commission for fill in fills)
    assert account.wallet == BALANCE + sum(entry.amount for entry in account.income)
    for leg, grows in (("LONG", "BUY"), ("SHORT", "SELL")):
        held = sum(f.quantity if f.side == grows else -f.quantity for f in fills if f.position_side == leg)
        assert abs(account.position("BTCUSDT", leg).amount) == held  # type: ignore[arg-type]
        assert held >= 0
