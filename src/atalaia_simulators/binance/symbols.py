"""What is traded, and by which rules."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from atalaia_simulators.binance.decimals import places_of, plain

ONBOARDED_MS = 1_569_398_400_000
DELIVERY_MS = 4_133_404_800_000  # a perpetual contract ends in 2100
MARGIN_ASSET = "USDT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbol:
    """`price` is its mark price as long as nobody sets another."""

    base: str
    price: Decimal
    tick: Decimal
    step: Decimal
    market_max: Decimal
    limit_max: Decimal
    min_notional: Decimal = Decimal(5)

    @property
    def name(self) -> str:
        return f"{self.base}{MARGIN_ASSET}"

    @property
    def quantity_places(self) -> int:
        return places_of(self.step)

    @property
    def price_places(self) -> int:
        return places_of(self.tick)

    def shown(self) -> dict[str, Any]:
        """Its row of exchangeInfo."""
        return {
            "symbol": self.name,
            "pair": self.name,
            "contractType": "PERPETUAL",
            "deliveryDate": DELIVERY_MS,
            "onboardDate": ONBOARDED_MS,
            "status": "TRADING",
            "maintMarginPercent": "2.5000",
            "requiredMarginPercent": "5.0000",
            "baseAsset": self.base,
            "quoteAsset": MARGIN_ASSET,
            "marginAsset": MARGIN_ASSET,
            "pricePrecision": self.price_places,
            "quantityPrecision": self.quantity_places,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": [],
            "triggerProtect": "0.0500",
            "liquidationFee": "0.012500",
            "marketTakeBound": "0.05",
            "maxMoveOrderLimit": 10000,
            "filters": self._filters(),
            "orderTypes": ["LIMIT", "MARKET"],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
            "permissionSets": ["GRID", "COPY"],
        }

    def _filters(self) -> list[dict[str, Any]]:
        step, tick = plain(self.step), plain(self.tick)
        return [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "100000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": plain(self.limit_max), "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": plain(self.market_max), "stepSize": step},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 10},
            {"filterType": "MIN_NOTIONAL", "notional": plain(self.min_notional)},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
            {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE", "notionalAfterControl": "0"},
        ]


# Base, price, tick, step, largest market and limit order, least notional; of the size that the real ones have.
_ROWS: Sequence[tuple[str, ...]] = (
    ("BTC", "60000", "0.10", "0.001", "120", "1000", "100"),
    ("ETH", "3000", "0.01", "0.001", "2000", "10000", "20"),
    ("BNB", "600", "0.010", "0.01", "2000", "100000", "5"),
    ("SOL", "150", "0.0100", "0.01", "5000", "1000000", "5"),
    ("XRP", "0.6", "0.0001", "0.1", "2000000", "10000000", "5"),
    ("ADA", "0.45", "0.00010", "1", "300000", "2000000", "5"),
    ("DOGE", "0.15", "0.000010", "1", "30000000", "50000000", "5"),
    ("LTC", "80", "0.01", "0.001", "5000", "10000", "20"),
    ("LINK", "15", "0.001", "0.01", "20000", "200000", "20"),
    ("AVAX", "30", "0.0010", "1", "5000", "100000", "5"),
    ("DOT", "6", "0.001", "0.1", "50000", "1000000", "5"),
    ("TRX", "0.12", "0.00001", "1", "5000000", "10000000", "5"),
    ("1000PEPE", "0.01", "0.0000001", "1", "500000000", "1000000000", "5"),
)


def _made(base: str, *figures: str) -> Symbol:
    price, tick, step, market_max, limit_max, min_notional = map(Decimal, figures)
    return Symbol(
        base=base,
        price=price,
        tick=tick,
        step=step,
        market_max=market_max,
        limit_max=limit_max,
        min_notional=min_notional,
    )


SYMBOLS: Mapping[str, Symbol] = {made.name: made for made in (_made(*row) for row in _ROWS)}
