"""How an account is set, and on which terms it trades."""

from decimal import Decimal
from typing import Any, Final

from atalaia_simulators.binance.accounts import Account
from atalaia_simulators.binance.decimals import plain
from atalaia_simulators.binance.errors import missing, refused
from atalaia_simulators.binance.exchange import Call, Exchange
from atalaia_simulators.binance.symbols import ONBOARDED_MS, Symbol

MOST_LEVERAGE: Final = 125
MAINTENANCE: Final = Decimal("0.004")
_DONE: Final = {"code": 200, "msg": "success"}


def position_mode(_exchange: Exchange, call: Call) -> dict[str, Any]:
    return {"dualSidePosition": call.account.is_hedge}


def change_position_mode(_exchange: Exchange, call: Call) -> dict[str, Any]:
    wanted = call.need("dualSidePosition").lower()
    if wanted not in {"true", "false"}:
        raise missing("dualSidePosition")
    if call.account.is_hedge is (wanted == "true"):
        raise refused(-4059)
    if call.account.open:
        raise refused(-4067)
    if call.account.positions:
        raise refused(-4068)
    call.account.is_hedge = wanted == "true"
    return _DONE


def commission_rate(exchange: Exchange, call: Call) -> dict[str, Any]:
    symbol = exchange.asked_symbol(call)
    return {
        "symbol": symbol.name,
        "makerCommissionRate": plain(call.account.maker),
        "takerCommissionRate": plain(call.account.taker),
        "rpiCommissionRate": "0",
    }


def leverage_brackets(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    bracket = {
        "bracket": 1,
        "initialLeverage": MOST_LEVERAGE,
        "notionalCap": 100_000_000,
        "notionalFloor": 0,
        "maintMarginRatio": float(MAINTENANCE),
        "cum": 0.0,
    }
    return [{"symbol": symbol.name, "brackets": [bracket]} for symbol in exchange.chosen(call)]


def change_leverage(exchange: Exchange, call: Call) -> dict[str, Any]:
    symbol, leverage = exchange.asked_symbol(call), call.number("leverage")
    if not 1 <= leverage <= MOST_LEVERAGE:
        raise refused(-4028)
    call.account.leverage[symbol.name] = leverage
    return {"symbol": symbol.name, "leverage": leverage, "maxNotionalValue": "100000000"}


def change_margin_type(exchange: Exchange, call: Call) -> dict[str, Any]:
    """Cross margin is the only one there is here."""
    exchange.asked_symbol(call)
    if call.need("marginType") not in {"CROSSED", "CROSS"}:
        raise missing("marginType")
    raise refused(-4046)


def symbol_config(exchange: Exchange, call: Call) -> list[dict[str, Any]]:
    return [_symbol_config(call.account, symbol) for symbol in exchange.chosen(call)]


def _symbol_config(account: Account, symbol: Symbol) -> dict[str, Any]:
    return {
        "symbol": symbol.name,
        "marginType": "CROSSED",
        "isAutoAddMargin": False,
        "leverage": account.leverage_of(symbol.name),
        "maxNotionalValue": "100000000",
    }


def account_config(_exchange: Exchange, call: Call) -> dict[str, Any]:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": call.account.can_withdraw,
        "dualSidePosition": call.account.is_hedge,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def assets_mode(_exchange: Exchange, _call: Call) -> dict[str, Any]:
    return {"multiAssetsMargin": False}


def key_restrictions(_exchange: Exchange, call: Call) -> dict[str, Any]:
    """What the key may do; on the exchange's other host."""
    return {
        "ipRestrict": False,
        "createTime": ONBOARDED_MS,
        "enableReading": True,
        "enableWithdrawals": call.account.can_withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": True,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": False,
        "enablePortfolioMarginTrading": False,
    }


def none_such(_exchange: Exchange, _call: Call) -> list[dict[str, Any]]:
    """What a client asks for of the spot market, which is not here."""
    return []
