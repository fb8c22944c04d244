"""The exchange's answers, in its own shapes; what is not read of them is not here.

Numbers come as text and become Decimal from that text. Other fields may come and go without notice; one that is needed and
missing, or of another kind, is BadPayload.

Source: https://developers.binance.com/docs/derivatives/usds-margined-futures/general-info
"""

from decimal import Decimal
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from atalaia.core.translations import N_
from atalaia.sdk.failures import BadPayload

T = TypeVar("T")
Ms = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_000)]  # to the end of the year 9999
# No money and no quantity has more digits before or behind the point; beyond it is a mistake, and costs memory as text.
_MOST_DIGITS: Final = 30
# What msgspec raises: another form, no UTF-8, thousands of brackets.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def is_sane(value: Decimal) -> bool:
    return value.is_finite() and abs(value.adjusted()) <= _MOST_DIGITS and len(value.as_tuple().digits) <= _MOST_DIGITS


class Row(msgspec.Struct, frozen=True, rename="camel"):
    def __post_init__(self) -> None:
        for value in msgspec.structs.astuple(self):
            if isinstance(value, Decimal) and not is_sane(value):
                raise ValueError("a number that is none")


class ServerTime(Row, frozen=True):
    server_time: Ms


class PriceRow(Row, frozen=True):
    """Text, since one odd symbol must not take the prices of all others away."""

    symbol: str
    mark_price: str
    time: Ms


class Filter(Row, frozen=True):
    filter_type: str
    min_qty: str | None = None
    max_qty: str | None = None
    step_size: str | None = None
    tick_size: str | None = None
    notional: str | None = None


class SymbolRow(Row, frozen=True):
    symbol: str
    filters: list[Filter] = []


class RateLimit(Row, frozen=True):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class ExchangeInfo(Row, frozen=True):
    symbols: list[SymbolRow]
    rate_limits: list[RateLimit] = []


class PositionRow(Row, frozen=True):
    symbol: str
    position_side: Literal["LONG", "SHORT", "BOTH"]
    position_amt: Decimal  # negative for a SHORT
    entry_price: Decimal
    mark_price: Decimal
    profit: Decimal = msgspec.field(name="unRealizedProfit")
    update_time: Ms = 0


class RateRow(Row, frozen=True):
    taker_commission_rate: Decimal
    maker_commission_rate: Decimal


class IncomeRow(Row, frozen=True):
    income_type: str
    income: Decimal
    asset: str
    time: Ms
    tran_id: int | str
    symbol: str | None = None


class HedgeMode(Row, frozen=True):
    dual_side_position: bool


Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class OrderRow(Row, frozen=True):
    """`avgPrice` may be missing in the answer to POST."""

    order_id: Number
    client_order_id: str
    status: str
    executed_qty: Decimal
    avg_price: Decimal | None = None
    update_time: Ms | None = None
    time: Ms | None = None


class TradeRow(Row, frozen=True):
    id: Number
    order_id: Number
    price: Decimal
    qty: Decimal
    commission: Decimal
    commission_asset: str
    realized_pnl: Decimal
    time: Ms


class RestrictionsRow(Row, frozen=True):
    enable_withdrawals: bool
    enable_futures: bool
    enable_reading: bool
    ip_restrict: bool


def read(body: bytes, shape: type[T]) -> T:
    """Raises: BadPayload."""
    try:
        return msgspec.json.decode(body, type=shape)
    except UNREADABLE as error:
        raise BadPayload(N_("The exchange answers in another form: {why}"), why=str(error)) from error
