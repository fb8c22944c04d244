"""All accounts, and every fill to the last decimal."""

import itertools
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from atalaia_simulators.binance.accounts import Account, Fill, Income, Order, Position
from atalaia_simulators.binance.decimals import plain, rounded
from atalaia_simulators.binance.symbols import MARGIN_ASSET

_FIRST_ORDER_ID = 8_389_765_400_000_000_000  # so large that a float can't hold it, as the real ones are
_FIRST_TRADE_ID = 5_100_000_001
_BNB_DISCOUNT = Decimal("0.9")
Mark = Callable[[str], Decimal]


class Book:
    """`mark` gives the mark price of a symbol."""

    def __init__(self, mark: Mark) -> None:
        self.accounts: dict[str, Account] = {}
        self._mark = mark
        self._order_ids = itertools.count(_FIRST_ORDER_ID)
        self._trade_ids = itertools.count(_FIRST_TRADE_ID)
        self._tran_ids = itertools.count(9_000_000_000_001)

    def next_order_id(self) -> int:
        return next(self._order_ids)

    def fill(
        self, account: Account, order: Order, *, price: Decimal, quantity: Decimal, now_ms: int, is_maker: bool = False
    ) -> None:
        """Part of an order, or all of it."""
        position = account.position(order.symbol, order.position_side)
        realised = position.apply(quantity if order.side == "BUY" else -quantity, price)
        position.updated_ms = now_ms
        account.keep(position)
        commission = self._commission(account, price * quantity, is_maker=is_maker)
        made = Fill(
            trade_id=next(self._trade_ids),
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            symbol=order.symbol,
            side=order.side,
            position_side=order.position_side,
            price=price,
            quantity=quantity,
            commission=commission,
            commission_asset=account.fee_asset,
            realised=realised,
            is_maker=is_maker,
            at_ms=now_ms,
        )
        account.fills.setdefault(order.symbol, []).append(made)
        order.executed += quantity
        order.quote += price * quantity
        order.updated_ms = now_ms
        self._book_income(account, made)

    def pay_funding(self, symbol: str, rate: Decimal, *, now_ms: int) -> None:
        """Who is long pays a positive rate to who is short."""
        mark = self._mark(symbol)
        for account in self.accounts.values():
            for position in [each for each in account.positions.values() if each.symbol == symbol]:
                paid = rounded(-position.amount * mark * rate)
                self._enter(account, "FUNDING_FEE", paid, MARGIN_ASSET, symbol=symbol, trade_id="", now_ms=now_ms)

    def place(self, account: Account, position: Position) -> None:
        """As if it had been opened long ago: there is no fill of it."""
        account.keep(position)

    def _commission(self, account: Account, notional: Decimal, *, is_maker: bool) -> Decimal:
        fee = notional * (account.maker if is_maker else account.taker)
        return rounded(fee if account.fee_asset == MARGIN_ASSET else fee * _BNB_DISCOUNT / self._mark("BNBUSDT"))

    def _book_income(self, account: Account, fill: Fill) -> None:
        def enter(kind: str, amount: Decimal, asset: str) -> None:
            trade_id = str(fill.trade_id)
            self._enter(account, kind, amount, asset, symbol=fill.symbol, trade_id=trade_id, now_ms=fill.at_ms)

        enter("COMMISSION", -fill.commission, fill.commission_asset)
        if fill.realised:
            enter("REALIZED_PNL", fill.realised, MARGIN_ASSET)

    def _enter(
        self, account: Account, kind: str, amount: Decimal, asset: str, *, symbol: str, trade_id: str, now_ms: int
    ) -> None:
        account.income.append(Income(next(self._tran_ids), kind, amount, asset, symbol, trade_id, now_ms))
        if asset == MARGIN_ASSET:
            account.wallet += amount

    def shown(self, api_key: str | None = None) -> dict[str, list[dict[str, Any]]]:
        """Everything that happened, or one account's part of it."""
        chosen = [each for each in self.accounts.values() if api_key in {None, each.api_key}]

        def of_each(rows: Callable[[Account], Iterator[dict[str, Any]]]) -> list[dict[str, Any]]:
            return [{"api_key": account.api_key, **row} for account in chosen for row in rows(account)]

        return {
            "fills": sorted(of_each(_fills), key=lambda fill: int(fill["trade_id"])),
            "positions": of_each(_positions),
            "orders": of_each(_orders),
            "income": of_each(lambda account: (entry.recorded() for entry in account.income)),
            "accounts": of_each(_figures),
        }


def _fills(account: Account) -> Iterator[dict[str, Any]]:
    return (fill.recorded() for fills in account.fills.values() for fill in fills)


def _positions(account: Account) -> Iterator[dict[str, Any]]:
    for position in account.positions.values():
        yield {
            "symbol": position.symbol,
            "position_side": position.side,
            "quantity": plain(abs(position.amount)),
            "entry_price": plain(position.entry),
            "at": position.updated_ms,
        }


def _orders(account: Account) -> Iterator[dict[str, Any]]:
    for order in account.orders.values():
        yield {
            "symbol": order.symbol,
            "position_side": order.position_side,
            "side": order.side,
            "type": order.kind,
            "order_id": order.order_id,
            "client_order_id": order.client_order_id,
            "status": order.status,
            "quantity": plain(order.quantity),
            "executed": plain(order.executed),
            "at": order.created_ms,
        }


def _figures(account: Account) -> Iterator[dict[str, Any]]:
    yield {
        "balance": plain(account.wallet),
        "taker": plain(account.taker),
        "maker": plain(account.maker),
        "fee_asset": account.fee_asset,
        "hedge_mode": account.is_hedge,
        "can_withdraw": account.can_withdraw,
    }
