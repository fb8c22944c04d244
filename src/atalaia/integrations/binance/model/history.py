"""What a closed operation brought, from the fills' real prices, fees and realised results. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Final

import msgspec

from atalaia.integrations.binance.exchange.port import Fill, Income, Side
from atalaia.integrations.binance.model.deciding import Reason, Wishes
from atalaia.integrations.binance.model.legs import Intent, LegPlan
from atalaia.integrations.binance.model.money import EXACT, ZERO, total

# Of contracts margined in these, fees are paid in the same; what was paid in another asset (BNB) is shown apart.
MARGIN_ASSETS: Final = ("USDT", "USDC", "FDUSD", "BUSD", "BTC")
PRICE_DIGITS: Final = Decimal("1e-12")  # an average price may be without end


class LegClosed(msgspec.Struct, frozen=True, kw_only=True):
    """`elsewhere` is what somebody else closed of it meanwhile: nothing of that is in the sums."""

    side: Side
    quantity: Decimal
    entry: Decimal
    exit: Decimal | None
    realised: Decimal
    fees: Decimal
    elsewhere: Decimal


class FillKept(msgspec.Struct, frozen=True, kw_only=True):
    trade_id: int
    order_id: int
    side: Side
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    realised: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A row of the history; `net` = gross − fees + funding, in the margin's asset."""

    id: str
    account_id: str
    account: str
    symbol: str
    name: str
    reason: Reason
    wishes: Wishes
    gross: Decimal
    fees: Decimal
    other_fees: Mapping[str, str]
    funding: Decimal
    net: Decimal
    basis: Decimal
    legs: Sequence[LegClosed]
    fills: Sequence[FillKept]
    opened_at: datetime
    closed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """What the fills come to."""

    gross: Decimal
    fees: Decimal
    other_fees: Mapping[str, Decimal]
    legs: Sequence[LegClosed]
    fills: Sequence[FillKept]
    basis: Decimal


def kept(side: Side, fill: Fill) -> FillKept:
    return FillKept(
        trade_id=fill.trade_id,
        order_id=fill.order_id,
        side=side,
        price=fill.price,
        quantity=fill.quantity,
        commission=fill.commission,
        commission_asset=fill.commission_asset,
        realised=fill.realised,
        at=fill.at,
    )


def is_whole(intent: Intent, fills: Iterable[Fill]) -> bool:
    """Whether all fills of the order are there: they may come after its report."""
    return total(fill.quantity for fill in fills) == intent.executed


def margin_asset(symbol: str) -> str:
    """`BTCUSDT` → USDT; of a dated contract (`BTCUSDT_260327`) too."""
    name = symbol.partition("_")[0]
    return next((asset for asset in MARGIN_ASSETS if name.endswith(asset)), "USDT")


def sums_of(symbol: str, plans: Sequence[LegPlan], fills: Sequence[FillKept]) -> Sums:
    asset = margin_asset(symbol)
    others: dict[str, Decimal] = {}
    for fill in fills:
        if fill.commission_asset != asset:
            others[fill.commission_asset] = total([others.get(fill.commission_asset, ZERO), fill.commission])
    with localcontext(EXACT):
        return Sums(
            gross=total(fill.realised for fill in fills),
            fees=total(fill.commission for fill in fills if fill.commission_asset == asset),
            other_fees=others,
            legs=[_leg(plan, [fill for fill in fills if fill.side is plan.side], asset) for plan in plans],
            fills=fills,
            basis=total(plan.quantity * plan.entry for plan in plans),
        )


def _leg(plan: LegPlan, fills: Sequence[FillKept], asset: str) -> LegClosed:
    quantity = total(fill.quantity for fill in fills)
    paid = total(fill.quantity * fill.price for fill in fills)
    return LegClosed(
        side=plan.side,
        quantity=quantity,
        entry=plan.entry,
        exit=(paid / quantity).quantize(PRICE_DIGITS) if quantity else None,
        realised=total(fill.realised for fill in fills),
        fees=total(fill.commission for fill in fills if fill.commission_asset == asset),
        elsewhere=plan.quantity - quantity,
    )


def funding_of(symbol: str, income: Iterable[Income], *, since: datetime, until: datetime | None = None) -> Decimal:
    """What came in (or was paid, negative) for holding it."""
    return total(
        each.amount
        for each in income
        if each.symbol == symbol and each.at >= since and (until is None or each.at <= until)
    )
