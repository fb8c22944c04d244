"""What anybody may ask: time, rules, prices."""

from decimal import Decimal
from typing import Any

from atalaia_simulators.binance.decimals import plain, rounded
from atalaia_simulators.binance.exchange import Call, Exchange
from atalaia_simulators.binance.symbols import MARGIN_ASSET, Symbol

_FUNDING_EVERY_MS = 8 * 3600 * 1000
_DEPTH = 5


def ping(_exchange: Exchange, _call: Call) -> dict[str, Any]:
    return {}


def server_time(_exchange: Exchange, call: Call) -> dict[str, Any]:
    return {"serverTime": call.now_ms}


def exchange_info(exchange: Exchange, call: Call) -> dict[str, Any]:
    limits = exchange.limits
    return {
        "timezone": "UTC",
        "serverTime": call.now_ms,
        "futuresType": "U_MARGINED",
        "rateLimits": [
            _rate_limit("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_limit),
            _rate_limit("ORDERS", "MINUTE", 1, limits.orders_1m_limit),
            _rate_limit("ORDERS", "SECOND", 10, limits.orders_10s_limit),
        ],
        "exchangeFilters": [],
        "assets": [{"asset": MARGIN_ASSET, "marginAvailable": True, "autoAssetExchange": "-10000"}],
        "symbols": [symbol.shown() for symbol in exchange.symbols.values()],
    }


def _rate_limit(kind: str, interval: str, number: int, limit: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def premium_index(exchange: Exchange, call: Call) -> Any:
    chosen, stale = exchange.chosen(call), "stale_price_s"
    rows = [_premium(exchange, symbol, call.now_ms) for symbol in chosen]
    if struck := [symbol.name for symbol in chosen if exchange.faults.look(stale, symbol=symbol.name)]:
        exchange.faults.strike(stale, symbol=struck[0])  # once, however many prices are asked for
    return _one_or_all(rows, call)


def _premium(exchange: Exchange, symbol: Symbol, now_ms: int) -> dict[str, Any]:
    price = plain(rounded(exchange.prices.at(symbol.name)))
    stale_s = exchange.faults.look("stale_price_s", 0, symbol=symbol.name)
    return {
        "symbol": symbol.name,
        "markPrice": price,
        "indexPrice": price,
        "estimatedSettlePrice": price,
        "lastFundingRate": "0.00010000",
        "interestRate": "0.00010000",
        "nextFundingTime": (now_ms // _FUNDING_EVERY_MS + 1) * _FUNDING_EVERY_MS,
        "time": now_ms - int(stale_s * 1000),
    }


def ticker_price(exchange: Exchange, call: Call) -> Any:
    rows = [
        {"symbol": symbol.name, "price": _price(exchange, symbol), "time": call.now_ms}
        for symbol in exchange.chosen(call)
    ]
    return _one_or_all(rows, call)


def book_ticker(exchange: Exchange, call: Call) -> Any:
    rows = [
        {
            "symbol": symbol.name,
            "bidPrice": _price(exchange, symbol),
            "bidQty": plain(symbol.market_max),
            "askPrice": _price(exchange, symbol),
            "askQty": plain(symbol.market_max),
            "time": call.now_ms,
            "lastUpdateId": call.now_ms,
        }
        for symbol in exchange.chosen(call)
    ]
    return _one_or_all(rows, call)


def ticker_day(exchange: Exchange, call: Call) -> Any:
    return _one_or_all([_day(exchange, symbol, call.now_ms) for symbol in exchange.chosen(call)], call)


def _day(exchange: Exchange, symbol: Symbol, now_ms: int) -> dict[str, Any]:
    """As if it had always been at this price."""
    price = _price(exchange, symbol)
    return {
        "symbol": symbol.name,
        "priceChange": "0",
        "priceChangePercent": "0.000",
        "weightedAvgPrice": price,
        "lastPrice": price,
        "lastQty": plain(symbol.step),
        "openPrice": price,
        "highPrice": price,
        "lowPrice": price,
        "volume": "0",
        "quoteVolume": "0",
        "openTime": now_ms - 24 * 3600 * 1000,
        "closeTime": now_ms,
        "firstId": -1,
        "lastId": -1,
        "count": 0,
    }


def depth(exchange: Exchange, call: Call) -> dict[str, Any]:
    """A few levels round the mark price, each as large as a market order may be."""
    symbol = exchange.asked_symbol(call)
    mark, quantity = exchange.prices.at(symbol.name), plain(symbol.market_max)

    def level(ticks: int) -> list[str]:
        return [plain(mark + symbol.tick * ticks), quantity]

    return {
        "lastUpdateId": call.now_ms,
        "E": call.now_ms,
        "T": call.now_ms,
        "bids": [level(-number) for number in range(1, _DEPTH + 1)],
        "asks": [level(number) for number in range(1, _DEPTH + 1)],
    }


def _price(exchange: Exchange, symbol: Symbol) -> str:
    return plain(max(exchange.prices.at(symbol.name), Decimal(0)))


def _one_or_all(rows: list[dict[str, Any]], call: Call) -> Any:
    return rows[0] if call.params.get("symbol") else rows
