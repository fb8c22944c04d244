"""From the exchange's words to ours. Pure."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from atalaia.core.clock import from_ms
from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange import answers
from atalaia.integrations.binance.exchange.judging import refusal
from atalaia.integrations.binance.exchange.port import (
    Fill,
    Income,
    OrderReport,
    Position,
    Price,
    Rates,
    Restrictions,
    Side,
    SymbolRules,
)
from atalaia.integrations.binance.exchange.rules import round_down
from atalaia.integrations.binance.exchange.words import ONE_WAY_MODE
from atalaia.sdk.failures import BadPayload

_MOST_OF_ID: Final = 100


def prices_of(rows: Iterable[answers.PriceRow]) -> dict[str, Price]:
    """A symbol without a price above zero is left out."""
    read = ((row, _positive(row.mark_price)) for row in rows)
    return {row.symbol: Price(mark, from_ms(row.time)) for row, mark in read if mark is not None}


def rules_of(info: answers.ExchangeInfo) -> dict[str, SymbolRules]:
    """A symbol whose filters don't tell all is left out. Raises: BadPayload: there is none at all."""
    read = {row.symbol: _rules(row) for row in info.symbols}
    rules = {symbol: found for symbol, found in read.items() if found is not None}
    if not rules:
        raise BadPayload(N_("The exchange's rules name no symbol."))
    return rules


def weight_limit_of(info: answers.ExchangeInfo) -> int | None:
    """A minute's; None: it does not say."""
    found = (
        each.limit
        for each in info.rate_limits
        if (each.rate_limit_type, each.interval, each.interval_num) == ("REQUEST_WEIGHT", "MINUTE", 1)
    )
    return next((limit for limit in found if limit > 0), None)


def positions_of(rows: Iterable[answers.PositionRow]) -> list[Position]:
    """Raises: Refused: one of one-way mode is there."""
    positions = []
    for row in rows:
        if row.position_amt == 0:
            continue
        if row.position_side == "BOTH":
            raise refusal(ONE_WAY_MODE, "positionSide BOTH")
        positions.append(
            Position(
                symbol=row.symbol,
                side=Side(row.position_side),
                amount=abs(row.position_amt),
                entry=row.entry_price,
                mark=row.mark_price,
                unrealised=row.profit,
                updated_at=from_ms(row.update_time),
            )
        )
    return positions


def rates_of(row: answers.RateRow) -> Rates:
    return Rates(row.taker_commission_rate, row.maker_commission_rate)


def income_of(rows: Iterable[answers.IncomeRow]) -> list[Income]:
    return [
        Income(
            kind=row.income_type,
            amount=row.income,
            asset=row.asset,
            at=from_ms(row.time),
            symbol=row.symbol or "",
            tran_id=str(row.tran_id),
        )
        for row in rows
    ]


def report_of(row: answers.OrderRow, *, asked: str, now: datetime) -> OrderReport:
    """`asked` is the client order id; `now` by the exchange's clock, where the answer has no time.

    Raises: BadPayload: it is of another order, so that it says nothing of this one.
    """
    if row.client_order_id != asked:
        raise BadPayload(N_("The exchange answers with another order: {id}"), id=row.client_order_id[:_MOST_OF_ID])
    at_ms = row.update_time or row.time
    return OrderReport(
        order_id=row.order_id,
        client_order_id=row.client_order_id,
        status=row.status,
        executed=row.executed_qty,
        average_price=row.avg_price or None,
        at=from_ms(at_ms) if at_ms else now,
    )


def fills_of(rows: Iterable[answers.TradeRow]) -> list[Fill]:
    return [
        Fill(
            trade_id=row.id,
            order_id=row.order_id,
            price=row.price,
            quantity=row.qty,
            commission=row.commission,
            commission_asset=row.commission_asset,
            realised=row.realized_pnl,
            at=from_ms(row.time),
        )
        for row in rows
    ]


def restrictions_of(row: answers.RestrictionsRow) -> Restrictions:
    return Restrictions(
        can_withdraw=row.enable_withdrawals,
        can_trade_futures=row.enable_futures,
        can_read=row.enable_reading,
        is_bound_to_addresses=row.ip_restrict,
    )


def _rules(row: answers.SymbolRow) -> SymbolRules | None:
    filters = {each.filter_type: each for each in row.filters}
    both = [filters[name] for name in ("MARKET_LOT_SIZE", "LOT_SIZE") if name in filters]
    # Both hold for a MARKET order; a zero says "see the other".
    steps = _numbers(each.step_size for each in both)
    most = _numbers(each.max_qty for each in both)
    least = _numbers(each.min_qty for each in both)
    tick = _positive(filters["PRICE_FILTER"].tick_size) if "PRICE_FILTER" in filters else None
    notional = _positive(filters["MIN_NOTIONAL"].notional) if "MIN_NOTIONAL" in filters else None
    if not (steps and most and tick):
        return None
    step = max(steps)
    market_max = round_down(min(most), step)
    if market_max <= 0:
        return None
    return SymbolRules(
        step=step,
        market_max=market_max,
        market_min=max([step, *least]),
        price_tick=tick,
        min_notional=notional or Decimal(0),
    )


def _numbers(texts: Iterable[str | None]) -> list[Decimal]:
    return [number for number in map(_positive, texts) if number is not None]


def _positive(text: str | None) -> Decimal | None:
    try:
        value = Decimal(text or "")
    except InvalidOperation:
        return None
    return value if answers.is_sane(value) and value > 0 else None
