"""What an account holds."""

from decimal import Decimal
from typing import Any

from atalaia_simulators.binance.accounts import Account, Position, PositionSide
from atalaia_simulators.binance.decimals import plain, rounded
from atalaia_simulators.binance.exchange import Call, Exchange
from atalaia_simulators.binance.symbols import MARGIN_ASSET
from atalaia_simulators.binance.terms import MAINTENANCE


def position_risk(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    """Only what has a position or orders."""
    asked = {symbol.name for symbol in exchange.chosen(call)}
    keys = dict.fromkeys((*call.account.positions, *((o.symbol, o.position_side) for o in call.account.open.values())))
    return [_risk(exchange, call.account, symbol, side) for symbol, side in keys if symbol in asked]


def position_risk_v2(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    """All that there could be, and what version 3 left out."""
    sides: tuple[PositionSide, ...] = ("LONG", "SHORT") if call.account.is_hedge else ("BOTH",)
    return [
        _risk(exchange, call.account, symbol.name, side)
        | {
            "leverage": str(call.account.leverage_of(symbol.name)),
            "maxNotionalValue": "100000000",
            "marginType": "cross",
            "isAutoAddMargin": "false",
        }
        for symbol in exchange.chosen(call)
        for side in sides
    ]


def _risk(exchange: Exchange, account: Account, symbol: str, side: PositionSide) -> dict[str, Any]:
    position, mark = account.position(symbol, side), exchange.prices.at(symbol)
    margin, notional = plain(exchange.margin(account, symbol, side)), rounded(position.amount * mark)
    return {
        "symbol": symbol,
        "positionSide": side,
        "positionAmt": plain(position.amount.quantize(exchange.symbols[symbol].step)),
        "entryPrice": plain(position.entry),
        "breakEvenPrice": plain(_break_even(account, position)),
        "markPrice": plain(rounded(mark)),
        "unRealizedProfit": plain(position.unrealised(mark)),
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": plain(notional),
        "marginAsset": MARGIN_ASSET,
        "isolatedWallet": "0",
        "initialMargin": margin,
        "maintMargin": plain(rounded(abs(notional) * MAINTENANCE)),
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": 2,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": position.updated_ms,
    }


def _break_even(account: Account, position: Position) -> Decimal:
    fee = account.taker if position.amount >= 0 else -account.taker
    return rounded(position.entry * (1 + fee))


def balance(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    account = call.account
    available = plain(max(Decimal(0), rounded(exchange.available(account))))
    return [
        {
            "accountAlias": "SgsR",
            "asset": MARGIN_ASSET,
            "balance": plain(rounded(account.wallet)),
            "crossWalletBalance": plain(rounded(account.wallet)),
            "crossUnPnl": plain(exchange.unrealised(account)),
            "availableBalance": available,
            "maxWithdrawAmount": available,
            "marginAvailable": True,
            "updateTime": call.now_ms,
        }
    ]


def account_info(exchange: Exchange, call: Call) -> dict[str, Any]:
    """Version 3: positions that are there. `canTrade` and the like are of version 2, and do no harm."""
    totals = _totals(exchange, call.account)
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": call.account.can_withdraw,
        "multiAssetsMargin": False,
        "updateTime": 0,
        **{f"total{name[0].upper()}{name[1:]}": amount for name, amount in totals.items()},
        "totalUnrealizedProfit": totals["unrealizedProfit"],
        "availableBalance": totals["availableBalance"],
        "maxWithdrawAmount": totals["availableBalance"],
        "assets": [
            {
                "asset": MARGIN_ASSET,
                **totals,
                "maxWithdrawAmount": totals["availableBalance"],
                "marginAvailable": True,
                "updateTime": call.now_ms,
            }
        ],
        "positions": [_account_position(exchange, call.account, each) for each in call.account.positions.values()],
    }


def _totals(exchange: Exchange, account: Account) -> dict[str, str]:
    wallet, unrealised = rounded(account.wallet), exchange.unrealised(account)
    margin, notional = exchange.total_margin(account), _total_notional(exchange, account)
    amounts = {
        "walletBalance": wallet,
        "unrealizedProfit": unrealised,
        "marginBalance": wallet + unrealised,
        "maintMargin": rounded(notional * MAINTENANCE),
        "initialMargin": margin,
        "positionInitialMargin": margin,
        "openOrderInitialMargin": Decimal(0),
        "crossWalletBalance": wallet,
        "crossUnPnl": unrealised,
        "availableBalance": max(Decimal(0), rounded(exchange.available(account))),
    }
    return {name: plain(amount) for name, amount in amounts.items()}


def _total_notional(exchange: Exchange, account: Account) -> Decimal:
    positions = account.positions.values()
    return sum((abs(each.amount) * exchange.prices.at(each.symbol) for each in positions), Decimal(0))


def _account_position(exchange: Exchange, account: Account, position: Position) -> dict[str, Any]:
    shown = _risk(exchange, account, position.symbol, position.side)
    kept = ("symbol", "positionSide", "positionAmt", "entryPrice", "notional", "isolatedMargin", "isolatedWallet")
    return {
        **{name: shown[name] for name in (*kept, "initialMargin", "maintMargin", "updateTime")},
        "unrealizedProfit": shown["unRealizedProfit"],
        "leverage": str(account.leverage_of(position.symbol)),
        "isolated": False,
    }
