"""What an order has to be to be taken. Each refusal has the exchange's own code."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, cast

from atalaia_simulators.binance.accounts import Account, PositionSide, Side
from atalaia_simulators.binance.decimals import is_plain, places_of, plain
from atalaia_simulators.binance.errors import illegal, missing, not_required, refused
from atalaia_simulators.binance.exchange import Call, Exchange
from atalaia_simulators.binance.symbols import Symbol

CLIENT_ID: Final = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
_CLIENT_ID: Final = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}\Z")
_NUMBER: Final = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_ALGO: Final = {"STOP", "STOP_MARKET", "TAKE_PROFIT", "TAKE_PROFIT_MARKET", "TRAILING_STOP_MARKET"}
_TIMES: Final = {"GTC", "IOC", "FOK", "GTX"}
_CLOSES: Final = {("SELL", "LONG"), ("BUY", "SHORT")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    symbol: Symbol
    side: Side
    position_side: PositionSide
    kind: Literal["MARKET", "LIMIT"]
    quantity: Decimal
    price: Decimal
    time_in_force: str
    client_order_id: str
    is_closing: bool
    is_full_answer: bool


def read_order(exchange: Exchange, call: Call, *, default_client_id: str) -> Wanted:
    """Raises: Refusal."""
    symbol = exchange.asked_symbol(call)
    side, kind = _read_side(call), _read_kind(call)
    position_side, is_closing = _read_position_side(call, side)
    quantity = _read_quantity(call, symbol, kind)
    price = _read_price(call, symbol) if kind == "LIMIT" else exchange.prices.at(symbol.name)
    wanted = Wanted(
        symbol=symbol,
        side=side,
        position_side=position_side,
        kind=kind,
        quantity=quantity,
        price=price,
        time_in_force=call.params.get("timeInForce", "GTC"),
        client_order_id=_read_client_id(call, default_client_id),
        is_closing=is_closing,
        is_full_answer=call.params.get("newOrderRespType") == "RESULT",
    )
    _check_room(exchange, call.account, wanted)
    return wanted


def _read_side(call: Call) -> Side:
    side = call.need("side")
    if side not in {"BUY", "SELL"}:
        raise refused(-1117)
    return cast("Side", side)


def _read_kind(call: Call) -> Literal["MARKET", "LIMIT"]:
    kind = call.need("type")
    if kind in _ALGO:
        raise refused(-4120)
    if kind == "MARKET":
        for name in ("price", "timeInForce"):
            if name in call.params:
                raise not_required(name)
        return "MARKET"
    if kind != "LIMIT":
        raise refused(-1116)
    if call.need("timeInForce") not in _TIMES:
        raise refused(-1115)
    return "LIMIT"


def _read_position_side(call: Call, side: Side) -> tuple[PositionSide, bool]:
    """And whether the order closes."""
    position_side = call.params.get("positionSide", "BOTH")
    if position_side not in {"LONG", "SHORT", "BOTH"}:
        raise refused(-4060)
    if call.account.is_hedge is (position_side == "BOTH"):
        raise refused(-4061)
    if call.account.is_hedge:
        if "reduceOnly" in call.params:
            raise not_required("reduceonly")
        return cast("PositionSide", position_side), (side, position_side) in _CLOSES
    return "BOTH", call.params.get("reduceOnly", "").lower() == "true"


def _read_quantity(call: Call, symbol: Symbol, kind: str) -> Decimal:
    quantity = _read_number(call, "quantity")
    if quantity == 0:
        raise refused(-4003)
    if places_of(quantity) > symbol.quantity_places:
        raise refused(-1111)
    if quantity % symbol.step:
        raise refused(-4023)
    if quantity > (symbol.market_max if kind == "MARKET" else symbol.limit_max):
        raise refused(-4005)
    return quantity.quantize(symbol.step)


def _read_price(call: Call, symbol: Symbol) -> Decimal:
    price = _read_number(call, "price")
    if places_of(price) > symbol.price_places:
        raise refused(-1111)
    if price == 0 or price % symbol.tick:
        raise refused(-4014)
    return price


def _read_number(call: Call, name: str) -> Decimal:
    if name not in call.params:
        raise missing(name)
    text = call.need(name)
    if not is_plain(text):
        raise illegal(name, _NUMBER)
    return Decimal(text)


def _read_client_id(call: Call, default: str) -> str:
    client_id = call.params.get("newClientOrderId", default)
    if not _CLIENT_ID.match(client_id):
        raise illegal("newClientOrderId", CLIENT_ID)
    if any(order.client_order_id == client_id for order in call.account.open.values()):
        raise refused(-4116)
    return client_id


def _check_room(exchange: Exchange, account: Account, wanted: Wanted) -> None:
    """There is something to close, or enough to open with."""
    if wanted.is_closing:
        held = account.position(wanted.symbol.name, wanted.position_side).amount
        against = held > 0 if wanted.side == "SELL" else held < 0
        if not against or wanted.quantity > abs(held):
            raise refused(-2022)
        return
    notional = wanted.quantity * wanted.price
    if notional < wanted.symbol.min_notional:
        raise refused(-4164, least=plain(wanted.symbol.min_notional))
    if not account.is_hedge and _only_reduces(account, wanted):
        return
    needed = notional / account.leverage_of(wanted.symbol.name) + notional * account.taker
    if needed > exchange.available(account):
        raise refused(-2019)


def _only_reduces(account: Account, wanted: Wanted) -> bool:
    change = wanted.quantity if wanted.side == "BUY" else -wanted.quantity
    held = account.position(wanted.symbol.name, "BOTH").amount
    return held * change < 0 and abs(change) <= abs(held)
