"""What is on record of an account: orders, trades, income."""

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from atalaia_simulators.binance.accounts import Fill, Income, Order
from atalaia_simulators.binance.decimals import plain
from atalaia_simulators.binance.errors import Refusal, refused
from atalaia_simulators.binance.exchange import Call, Exchange
from atalaia_simulators.binance.symbols import MARGIN_ASSET, Symbol

_MORE_PLACES: Final = 4  # that an average price has over a price
_MOST_ROWS: Final = 1000
_USUAL_ROWS: Final = 500
_USUAL_INCOME: Final = 100
_WEEK_MS: Final = 7 * 24 * 3600 * 1000
Row = TypeVar("Row")


def show_order(order: Order, symbol: Symbol) -> dict[str, Any]:
    executed, step = order.executed, symbol.step
    return {
        "orderId": order.order_id,
        "symbol": order.symbol,
        "status": order.status,
        "clientOrderId": order.client_order_id,
        "price": plain(order.price),
        "avgPrice": plain(order.average(symbol.price_places + _MORE_PLACES)),
        "origQty": plain(order.quantity.quantize(step)),
        "executedQty": plain(executed.quantize(step)),
        "cumQty": plain(executed.quantize(step)),
        "cumQuote": plain(order.quote),
        "timeInForce": order.time_in_force,
        "type": order.kind,
        "origType": order.kind,
        "reduceOnly": order.is_closing,
        "closePosition": False,
        "side": order.side,
        "positionSide": order.position_side,
        "stopPrice": "0",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "time": order.created_ms,
        "updateTime": order.updated_ms,
    }


def get_order(exchange: Exchange, call: Call) -> dict[str, Any]:
    order = find_order(exchange, call, code=-2013)
    shown = show_order(order, exchange.symbols[order.symbol])
    del shown["cumQty"]
    return shown


def find_order(exchange: Exchange, call: Call, *, code: int) -> Order:
    """Of several with one client id the newest. Raises: Refusal."""
    symbol = exchange.asked_symbol(call).name
    if not (call.params.get("orderId") or call.params.get("origClientOrderId")):
        raise Refusal(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
    if call.params.get("orderId"):
        order = call.account.orders.get(call.number("orderId"))
    else:
        order = call.account.by_client_id.get((symbol, call.params["origClientOrderId"]))
    if order is None or order.symbol != symbol or order.created_ms > newest_seen_ms(exchange, call):
        raise refused(code)
    return order


def newest_seen_ms(exchange: Exchange, call: Call) -> int:
    unseen_s = exchange.faults.strike("unseen_s", **call.about)
    return call.now_ms - int((unseen_s or 0) * 1000)


def open_orders(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    chosen = {symbol.name: symbol for symbol in exchange.chosen(call)}
    return [show_order(each, chosen[each.symbol]) for each in call.account.open.values() if each.symbol in chosen]


def all_orders(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    symbol, seen_ms = exchange.asked_symbol(call), newest_seen_ms(exchange, call)
    start_ms, end_ms = _read_span(call)
    least_id = call.number("orderId", 0)
    found = [
        each
        for each in call.account.orders.values()
        if each.symbol == symbol.name
        and each.order_id >= least_id
        and start_ms <= each.created_ms <= min(end_ms, seen_ms)
    ]
    return [show_order(each, symbol) for each in _cut(found, call, is_from_start=least_id > 0)]


def user_trades(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    symbol, seen_ms = exchange.asked_symbol(call).name, newest_seen_ms(exchange, call)
    start_ms, end_ms = _read_span(call)
    order_id, least_id = call.number("orderId", 0), call.number("fromId", 0)
    found = [
        fill
        for fill in call.account.fills.get(symbol, [])
        if order_id in {0, fill.order_id}
        and fill.trade_id >= least_id
        and start_ms <= fill.at_ms <= min(end_ms, seen_ms)
    ]
    return [_show_fill(fill) for fill in _cut(found, call, is_from_start=least_id > 0)]


def income(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    """Of any span; a week to now where none is named."""
    seen_ms = newest_seen_ms(exchange, call)
    end_ms = call.number("endTime", call.now_ms)
    start_ms = call.number("startTime", max(0, end_ms - _WEEK_MS))
    symbol, kind = call.params.get("symbol"), call.params.get("incomeType")
    found = [
        entry
        for entry in call.account.income
        if symbol in {None, entry.symbol}
        and kind in {None, entry.kind}
        and start_ms <= entry.at_ms <= min(end_ms, seen_ms)
    ]
    page = call.number("page", 1)
    skipped = (max(page, 1) - 1) * _limit(call, _USUAL_INCOME)
    kept = found[skipped:] if "page" in call.params else found
    is_from_start = "page" in call.params
    return [_show_income(entry) for entry in _cut(kept, call, is_from_start=is_from_start, usual=_USUAL_INCOME)]


def _show_income(entry: Income) -> dict[str, Any]:
    return {
        "symbol": entry.symbol,
        "incomeType": entry.kind,
        "income": plain(entry.amount),
        "asset": entry.asset,
        "info": entry.trade_id or entry.kind,
        "time": entry.at_ms,
        "tranId": entry.tran_id,
        "tradeId": entry.trade_id,
    }


def _show_fill(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.symbol,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "side": fill.side,
        "price": plain(fill.price),
        "qty": plain(fill.quantity),
        "realizedPnl": plain(fill.realised),
        "quoteQty": plain(fill.price * fill.quantity),
        "commission": plain(fill.commission),
        "commissionAsset": fill.commission_asset,
        "time": fill.at_ms,
        "positionSide": fill.position_side,
        "buyer": fill.side == "BUY",
        "maker": fill.is_maker,
        "marginAsset": MARGIN_ASSET,
    }


def _read_span(call: Call) -> tuple[int, int]:
    """Of times in ms: a week from its start, or to its end, or to now. Raises: Refusal: it is longer."""
    start, end = "startTime" in call.params, "endTime" in call.params
    if start and not end:
        start_ms = call.number("startTime")
        return start_ms, start_ms + _WEEK_MS
    end_ms = call.number("endTime", call.now_ms)
    start_ms = call.number("startTime", max(0, end_ms - _WEEK_MS))
    if end_ms - start_ms > _WEEK_MS:
        raise refused(-4165)
    return start_ms, end_ms


def _limit(call: Call, usual: int) -> int:
    return max(1, min(call.number("limit", usual), _MOST_ROWS))


def _cut(rows: Sequence[Row], call: Call, *, is_from_start: bool, usual: int = _USUAL_ROWS) -> Sequence[Row]:
    """As many as are asked for: the first ones where the question has a start, or else the newest. Always oldest first."""
    limit = _limit(call, usual)
    return rows[:limit] if is_from_start or "startTime" in call.params else rows[-limit:]
