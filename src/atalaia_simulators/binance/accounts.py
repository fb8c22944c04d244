"""An account: its positions, orders, fills and income."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from atalaia_simulators.binance.decimals import plain, rounded

Side = Literal["BUY", "SELL"]
PositionSide = Literal["LONG", "SHORT", "BOTH"]
DEFAULT_LEVERAGE = 20
_ZERO = Decimal(0)


@dataclass(slots=True)
class Position:
    """`amount` is negative for a short one."""

    symbol: str
    side: PositionSide
    amount: Decimal = _ZERO
    entry: Decimal = _ZERO
    updated_ms: int = 0

    def apply(self, change: Decimal, price: Decimal) -> Decimal:
        """Buy or sell (a negative `change`) at a price; what that realises."""
        if self.amount * change >= 0:
            whole = self.amount + change
            self.entry = rounded((self.amount * self.entry + change * price) / whole)
            self.amount = whole
            return _ZERO
        closed = min(abs(change), abs(self.amount)).copy_sign(self.amount)
        realised = rounded((price - self.entry) * closed)
        was_long = self.amount > 0
        self.amount += change
        if self.amount == 0:
            self.entry = _ZERO
        elif (self.amount > 0) is not was_long:
            self.entry = price
        return realised

    def unrealised(self, mark: Decimal) -> Decimal:
        return rounded((mark - self.entry) * self.amount)


@dataclass(frozen=True, slots=True)
class Fill:
    trade_id: int
    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    realised: Decimal
    is_maker: bool
    at_ms: int

    def recorded(self) -> dict[str, Any]:
        return {
            "symbol": self.symbol,
            "position_side": self.position_side,
            "side": self.side,
            "order_id": self.order_id,
            "client_order_id": self.client_order_id,
            "trade_id": self.trade_id,
            "price": plain(self.price),
            "quantity": plain(self.quantity),
            "commission": plain(self.commission),
            "commission_asset": self.commission_asset,
            "realized_pnl": plain(self.realised),
            "at": self.at_ms,
        }


@dataclass(frozen=True, slots=True)
class Income:
    tran_id: int
    kind: str  # REALIZED_PNL, COMMISSION, FUNDING_FEE, TRANSFER
    amount: Decimal
    asset: str
    symbol: str
    trade_id: str
    at_ms: int

    def recorded(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "amount": plain(self.amount),
            "asset": self.asset,
            "symbol": self.symbol,
            "tran_id": self.tran_id,
            "trade_id": self.trade_id,
            "at": self.at_ms,
        }


@dataclass(slots=True)
class Order:
    order_id: int
    client_order_id: str
    symbol: str
    side: Side
    position_side: PositionSide
    kind: Literal["MARKET", "LIMIT"]
    quantity: Decimal
    price: Decimal
    time_in_force: str
    is_closing: bool
    created_ms: int
    updated_ms: int
    status: str = "NEW"
    executed: Decimal = _ZERO
    quote: Decimal = _ZERO

    @property
    def left(self) -> Decimal:
        return self.quantity - self.executed

    @property
    def is_open(self) -> bool:
        return self.status in {"NEW", "PARTIALLY_FILLED"}

    def average(self, places: int) -> Decimal:
        """The exchange gives some more decimals than a price may have."""
        return rounded(self.quote / self.executed, places) if self.executed else _ZERO


@dataclass(slots=True)
class Account:
    """`wallet` is what there is in USDT, without what is not realised."""

    api_key: str
    api_secret: str
    wallet: Decimal
    taker: Decimal
    maker: Decimal
    can_withdraw: bool = False
    is_hedge: bool = True
    fee_asset: str = "USDT"
    positions: dict[tuple[str, PositionSide], Position] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    open: dict[int, Order] = field(default_factory=dict)
    fills: dict[str, list[Fill]] = field(default_factory=dict)
    income: list[Income] = field(default_factory=list)
    leverage: dict[str, int] = field(default_factory=dict)
    by_client_id: dict[tuple[str, str], Order] = field(default_factory=dict)  # the newest of each

    def position(self, symbol: str, side: PositionSide) -> Position:
        return self.positions.get((symbol, side)) or Position(symbol, side)

    def keep(self, position: Position) -> None:
        """One that is empty is none."""
        if position.amount:
            self.positions[position.symbol, position.side] = position
        else:
            self.positions.pop((position.symbol, position.side), None)

    def leverage_of(self, symbol: str) -> int:
        return self.leverage.get(symbol, DEFAULT_LEVERAGE)

    def add(self, order: Order) -> None:
        self.orders[order.order_id] = order
        self.by_client_id[order.symbol, order.client_order_id] = order

    def settle(self, order: Order) -> None:
        """Open orders are those that are open."""
        if order.is_open:
            self.open[order.order_id] = order
        else:
            self.open.pop(order.order_id, None)
