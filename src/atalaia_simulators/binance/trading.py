"""Orders: placed, matched with the mark price, cancelled."""

from decimal import Decimal
from itertools import pairwise
from typing import Any

from atalaia_simulators.binance.accounts import Account, Order
from atalaia_simulators.binance.decimals import plain
from atalaia_simulators.binance.errors import refused
from atalaia_simulators.binance.exchange import Call, Exchange
from atalaia_simulators.binance.orders import Wanted, read_order
from atalaia_simulators.binance.records import find_order, show_order
from atalaia_simulators.binance.symbols import Symbol


def place_order(exchange: Exchange, call: Call) -> dict[str, Any]:
    """Raises: Refusal: not done."""
    order_id = exchange.book.next_order_id()
    wanted = read_order(exchange, call, default_client_id=f"web_{order_id}"[:36])
    account, order = call.account, _new_order(wanted, order_id, call.now_ms)
    _check_at_once(exchange, order)
    account.add(order)
    if order.kind == "MARKET":
        part = exchange.faults.strike("partial_fill", **call.about)
        _fill_market(exchange, account, order, part=Decimal(1) if part is None else Decimal(str(part)))
    else:
        _match(exchange, account, order, now_ms=call.now_ms, is_new=True)
    shown = show_order(order, wanted.symbol)
    if not wanted.is_full_answer and order.kind == "MARKET":  # ACK, which is what one gets without asking
        zero = plain(Decimal(0).quantize(wanted.symbol.step))
        shown |= {"status": "NEW", "executedQty": zero, "cumQty": zero, "cumQuote": "0.0000000", "avgPrice": "0.00"}
    del shown["time"]
    return shown


def _new_order(wanted: Wanted, order_id: int, now_ms: int) -> Order:
    return Order(
        order_id=order_id,
        client_order_id=wanted.client_order_id,
        symbol=wanted.symbol.name,
        side=wanted.side,
        position_side=wanted.position_side,
        kind=wanted.kind,
        quantity=wanted.quantity,
        price=wanted.price if wanted.kind == "LIMIT" else Decimal(0),
        time_in_force=wanted.time_in_force,
        is_closing=wanted.is_closing,
        created_ms=now_ms,
        updated_ms=now_ms,
    )


def _check_at_once(exchange: Exchange, order: Order) -> None:
    if order.kind == "LIMIT":
        would_fill = _is_reached(order, exchange.prices.at(order.symbol))
        if order.time_in_force == "GTX" and would_fill:
            raise refused(-5022)
        if order.time_in_force == "FOK" and not would_fill:
            raise refused(-5021)


def match_open(exchange: Exchange, account: Account, *, now_ms: int) -> None:
    """Limit orders whose price has come are filled before the account is looked at."""
    for order in list(account.open.values()):
        _match(exchange, account, order, now_ms=now_ms, is_new=False)


def _match(exchange: Exchange, account: Account, order: Order, *, now_ms: int, is_new: bool) -> None:
    mark = exchange.prices.at(order.symbol)
    if _is_reached(order, mark):
        _fill_limit(exchange, account, order, mark=mark, now_ms=now_ms, is_new=is_new)
    elif order.time_in_force == "IOC":
        order.status = "EXPIRED"
    account.settle(order)


def _fill_limit(
    exchange: Exchange, account: Account, order: Order, *, mark: Decimal, now_ms: int, is_new: bool
) -> None:
    held = abs(account.position(order.symbol, order.position_side).amount)
    if order.is_closing and held < order.left:
        order.status = "EXPIRED"  # another has closed what it was to close
        return
    price = mark if is_new else order.price  # one that had to wait made the market
    exchange.book.fill(account, order, price=price, quantity=order.left, now_ms=now_ms, is_maker=not is_new)
    order.status = "FILLED"


def _fill_market(exchange: Exchange, account: Account, order: Order, *, part: Decimal) -> None:
    """At the mark price of this instant; what is more than `part` of it expires."""
    symbol, options, mark = exchange.symbols[order.symbol], exchange.options, exchange.prices.at(order.symbol)
    quantity = _in_steps(order.quantity * part, symbol)
    worse = symbol.tick * options.slip_ticks * (1 if order.side == "BUY" else -1)
    for number, share in enumerate(_shares(quantity, symbol, count=options.fills)):
        price = max(symbol.tick, mark + worse * number)
        exchange.book.fill(account, order, price=price, quantity=share, now_ms=order.created_ms)
    order.status = "FILLED" if order.left == 0 else "EXPIRED"


def _shares(quantity: Decimal, symbol: Symbol, *, count: int) -> list[Decimal]:
    """In so many parts as it has steps, at most."""
    marks = [_in_steps(quantity * number / count, symbol) for number in range(count)] + [quantity]
    return [after - before for before, after in pairwise(marks) if after > before]


def _in_steps(quantity: Decimal, symbol: Symbol) -> Decimal:
    return (quantity // symbol.step * symbol.step).quantize(symbol.step)


def _is_reached(order: Order, mark: Decimal) -> bool:
    return mark <= order.price if order.side == "BUY" else mark >= order.price


def cancel_order(exchange: Exchange, call: Call) -> dict[str, Any]:
    order = find_order(exchange, call, code=-2011)
    if not order.is_open:
        raise refused(-2011)
    _cancel(call, order)
    return show_order(order, exchange.symbols[order.symbol])


def cancel_all(exchange: Exchange, call: Call) -> dict[str, Any]:
    symbol = exchange.asked_symbol(call).name
    for order in [each for each in call.account.open.values() if each.symbol == symbol]:
        _cancel(call, order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def _cancel(call: Call, order: Order) -> None:
    order.status, order.updated_ms = "CANCELED", call.now_ms
    call.account.settle(order)
