"""What there is to ask, what it weighs, and who may ask."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from atalaia_simulators.binance import holdings, market, records, terms, trading
from atalaia_simulators.binance.exchange import Call, Exchange

ORDER: Final = ("POST", "/fapi/v1/order")
Handler = Callable[[Exchange, Call], Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`weight_of_all`: where no symbol is named."""

    handler: Handler
    weight: int = 1
    weight_of_all: int | None = None
    is_signed: bool = True

    def weighs(self, params: Mapping[str, str]) -> int:
        return self.weight if self.weight_of_all is None or params.get("symbol") else self.weight_of_all


def _open(handler: Handler, weight: int = 1, weight_of_all: int | None = None) -> Endpoint:
    return Endpoint(handler, weight, weight_of_all, is_signed=False)


ENDPOINTS: Final[Mapping[tuple[str, str], Endpoint]] = {
    ("GET", "/fapi/v1/ping"): _open(market.ping),
    ("GET", "/fapi/v1/time"): _open(market.server_time),
    ("GET", "/fapi/v1/exchangeInfo"): _open(market.exchange_info),
    ("GET", "/fapi/v1/premiumIndex"): _open(market.premium_index, 1, 10),
    ("GET", "/fapi/v1/ticker/price"): _open(market.ticker_price, 1, 2),
    ("GET", "/fapi/v2/ticker/price"): _open(market.ticker_price, 1, 2),
    ("GET", "/fapi/v1/ticker/bookTicker"): _open(market.book_ticker, 2, 5),
    ("GET", "/fapi/v1/ticker/24hr"): _open(market.ticker_day, 1, 40),
    ("GET", "/fapi/v1/depth"): _open(market.depth, 2),
    ("GET", "/fapi/v2/positionRisk"): Endpoint(holdings.position_risk_v2, 5),
    ("GET", "/fapi/v3/positionRisk"): Endpoint(holdings.position_risk, 5),
    ("GET", "/fapi/v2/balance"): Endpoint(holdings.balance, 5),
    ("GET", "/fapi/v3/balance"): Endpoint(holdings.balance, 5),
    ("GET", "/fapi/v2/account"): Endpoint(holdings.account_info, 5),
    ("GET", "/fapi/v3/account"): Endpoint(holdings.account_info, 5),
    ("GET", "/fapi/v1/positionSide/dual"): Endpoint(terms.position_mode, 30),
    ("POST", "/fapi/v1/positionSide/dual"): Endpoint(terms.change_position_mode),
    ("GET", "/fapi/v1/multiAssetsMargin"): Endpoint(terms.assets_mode, 30),
    ("GET", "/fapi/v1/commissionRate"): Endpoint(terms.commission_rate, 20),
    ("GET", "/fapi/v1/leverageBracket"): Endpoint(terms.leverage_brackets),
    ("POST", "/fapi/v1/leverage"): Endpoint(terms.change_leverage),
    ("POST", "/fapi/v1/marginType"): Endpoint(terms.change_margin_type),
    ("GET", "/fapi/v1/symbolConfig"): Endpoint(terms.symbol_config, 5),
    ("GET", "/fapi/v1/accountConfig"): Endpoint(terms.account_config, 5),
    ("GET", "/fapi/v1/income"): Endpoint(records.income, 30),
    ("GET", "/fapi/v1/userTrades"): Endpoint(records.user_trades, 5),
    ("GET", "/fapi/v1/allOrders"): Endpoint(records.all_orders, 5),
    ("GET", "/fapi/v1/openOrders"): Endpoint(records.open_orders, 1, 40),
    ORDER: Endpoint(trading.place_order, 0),
    ("GET", "/fapi/v1/order"): Endpoint(records.get_order),
    ("DELETE", "/fapi/v1/order"): Endpoint(trading.cancel_order),
    ("DELETE", "/fapi/v1/allOpenOrders"): Endpoint(trading.cancel_all),
    ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint(terms.key_restrictions),
    ("GET", "/sapi/v1/capital/config/getall"): Endpoint(terms.none_such, 10),
    ("GET", "/sapi/v1/margin/allPairs"): _open(terms.none_such),
}
