"""What an operation would bring, and what the fills of a closed one have brought."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from atalaia.integrations.binance.exchange.port import Income, Position, Rates, Side
from atalaia.integrations.binance.model.history import FillKept, funding_of, margin_asset, sums_of
from atalaia.integrations.binance.model.legs import LegPlan
from atalaia.integrations.binance.model.money import total
from atalaia.integrations.binance.model.result import result_of

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
prices = st.decimals(min_value="0.01", max_value=200_000, places=4)
quantities = st.decimals(min_value="0.001", max_value=5000, places=3)
money = st.decimals(min_value=-1000, max_value=1000, places=8)


def position(side: Side, amount: Decimal, entry: Decimal) -> Position:
    return Position(
        symbol="BTCUSDT", side=side, amount=amount, entry=entry, mark=entry, unrealised=Decimal(0), updated_at=AT
    )


@given(quantities, prices, quantities, prices, prices, money)
def test_net_is_what_its_parts_come_to(
    long: Decimal, long_entry: Decimal, short: Decimal, short_entry: Decimal, mark: Decimal, funding: Decimal
) -> None:
    rates = Rates(taker=Decimal("0.0004"), maker=Decimal("0.0002"))
    legs = [position(Side.LONG, long, long_entry), position(Side.SHORT, short, short_entry)]
    result = result_of(legs, mark=mark, rates=rates, funding=funding)
    assert result is not None
    assert result.long is not None
    assert result.short is not None
    assert result.long.pnl == long * (mark - long_entry)
    assert result.short.pnl == short * (short_entry - mark)
    assert result.gross == total([result.long.pnl, result.short.pnl])
    assert result.fees == total([long * mark * rates.taker, short * mark * rates.taker])
    assert result.net == total([result.gross, -result.fees, funding])
    assert result.value(is_gross=True) == result.gross
    assert result.value(is_gross=False) == result.net


@given(quantities, prices, prices)
def test_equal_legs_bring_the_difference_of_their_entries_wherever_the_price_is(
    amount: Decimal, first: Decimal, mark: Decimal
) -> None:
    legs = [position(Side.LONG, amount, first), position(Side.SHORT, amount, first + 7)]
    result = result_of(legs, mark=mark, rates=None, funding=None)
    assert result is not None
    assert result.gross == 7 * amount
    assert result.net is None, "nobody knows what closing costs"


def test_without_a_leg_there_is_no_result() -> None:
    assert result_of([], mark=Decimal(1), rates=None, funding=None) is None


def fill(side: Side, **more: Decimal | str) -> FillKept:
    numbers = {"price": Decimal(3), "quantity": Decimal(1), "commission": Decimal("0.1"), "realised": Decimal(5)}
    asset = str(more.pop("commission_asset", "USDT"))
    given_ = {**numbers, **{name: Decimal(value) for name, value in more.items()}}
    return FillKept(trade_id=1, order_id=2, side=side, commission_asset=asset, at=AT, **given_)


def test_what_is_paid_in_another_asset_stands_apart() -> None:
    plans = [LegPlan(side=Side.LONG, stood=Decimal(2), quantity=Decimal(2), entry=Decimal(10))]
    fills = [fill(Side.LONG), fill(Side.LONG, commission_asset="BNB", commission="0.00001")]
    sums = sums_of("BTCUSDT", plans, fills)
    assert (sums.gross, sums.fees) == (Decimal(10), Decimal("0.1"))
    assert sums.other_fees == {"BNB": Decimal("0.00001")}
    (leg,) = sums.legs
    assert (leg.quantity, leg.exit, leg.elsewhere) == (Decimal(2), Decimal(3), Decimal(0))
    assert margin_asset("ETHUSDC") == "USDC"
    assert margin_asset("BTCUSDT_260327") == "USDT"


def test_funding_is_of_the_symbol_and_of_the_time_that_it_was_held() -> None:
    def income(minutes: int, symbol: str = "BTCUSDT") -> Income:
        at = AT + timedelta(minutes=minutes)
        return Income(
            kind="FUNDING_FEE", amount=Decimal("-0.5"), asset="USDT", at=at, symbol=symbol, tran_id=str(minutes)
        )

    rows = [income(-1), income(0), income(5), income(11), income(6, "ETHUSDT")]
    assert funding_of("BTCUSDT", rows, since=AT) == Decimal("-1.5")
    assert funding_of("BTCUSDT", rows, since=AT, until=AT + timedelta(minutes=10)) == Decimal(-1)
