"""The exchange as the engine sees it: values and protocols, without a word of HTTP.

Money and quantities are Decimal, made from the exchange's own text; instants are aware UTC, by the exchange's clock.
Failures are in `failures`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol

from atalaia.core.redaction import Secret

# A client order id may have these characters, and no more of them.
CLIENT_ORDER_ID: Final = r"^[.A-Z:/a-z0-9_-]{1,36}$"
FUNDING_FEE: Final = "FUNDING_FEE"  # a kind of Income
_FINAL: Final = frozenset({"FILLED", "CANCELED", "REJECTED", "EXPIRED", "EXPIRED_IN_MATCH"})


class Side(StrEnum):
    """A leg: in hedge mode a symbol has one of each."""

    LONG = "LONG"
    SHORT = "SHORT"


@dataclass(frozen=True, slots=True)
class Credentials:
    api_key: Secret
    api_secret: Secret


@dataclass(frozen=True, slots=True)
class Price:
    mark: Decimal
    at: datetime  # its age is `Market.server_time()` less this, never this hub's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class SymbolRules:
    """Of MARKET orders. `market_max` and `market_min` are multiples of `step`."""

    step: Decimal
    market_max: Decimal
    market_min: Decimal
    price_tick: Decimal
    min_notional: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """One leg that is open: one that is not there is not in the list."""

    symbol: str
    side: Side
    amount: Decimal  # > 0, absolute
    entry: Decimal
    mark: Decimal
    unrealised: Decimal  # by the exchange, at `mark`
    updated_at: datetime  # when the position last changed


@dataclass(frozen=True, slots=True)
class Rates:
    """Commission as a part of the notional: 0.0004 is 0.04 %."""

    taker: Decimal
    maker: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Income:
    """`tran_id` is unique within a kind and an account; `symbol` is "" where it is of none. `amount` > 0 came in."""

    kind: str
    amount: Decimal
    asset: str
    at: datetime
    symbol: str
    tran_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """`commission` > 0 was paid; `realised` is before commission."""

    trade_id: int
    order_id: int
    price: Decimal
    quantity: Decimal
    commission: Decimal
    commission_asset: str
    realised: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A MARKET order that closes `quantity` of the leg `side`; a multiple of the step, no more than the market maximum."""

    symbol: str
    side: Side
    quantity: Decimal
    client_order_id: str  # see CLIENT_ORDER_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """`average_price` is None while nothing is executed, and where the exchange leaves it out: then it is in the fills."""

    order_id: int
    client_order_id: str
    status: str  # the exchange's own: NEW, PARTIALLY_FILLED, FILLED, CANCELED, EXPIRED, …
    executed: Decimal
    average_price: Decimal | None
    at: datetime

    @property
    def is_final(self) -> bool:
        """Nothing more will be executed; a MARKET order may end as EXPIRED with a part of it executed."""
        return self.status in _FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Restrictions:
    """What the API key may do."""

    can_withdraw: bool
    can_trade_futures: bool
    can_read: bool
    is_bound_to_addresses: bool


class Market(Protocol):
    """What needs no account. All raise NotDone (no answer, for whatever reason), Limited, Refused, BadPayload."""

    async def prices(self) -> Mapping[str, Price]:
        """All symbols, in one request."""

    async def rules(self) -> Mapping[str, SymbolRules]:
        """Kept for an hour, and up to a day where they can't be read anew."""

    async def server_time(self) -> datetime:
        """The exchange's present time.

        It is asked at first, and again after a while; in between it is reckoned from this machine's monotonic clock.
        """


class Account(Protocol):
    """One account. What only reads raises as Market does; a repeat of it is harmless, and has been tried within."""

    async def positions(self) -> Sequence[Position]:
        """Those with an amount. Raises: Refused (−4061): a position of one-way mode is there, so nothing is known of legs."""

    async def rates(self, symbol: str) -> Rates: ...

    async def income(self, symbol: str | None, since: datetime, *, kind: str | None = None) -> Sequence[Income]:
        """From `since` (included), oldest first; without `symbol` of all (weight 30 either way, so ask once an account)."""

    async def is_hedge_mode(self) -> bool: ...

    @property
    def settling_s(self) -> float:
        """How long after it was signed a request may still be taken: the window in which the exchange takes it, and its slack."""

    async def send(self, order: Order, *, not_after: datetime | None = None) -> OrderReport:
        """Once, never repeated here.

        `not_after` is by the exchange's clock, and checked at each signing (also of the one after −1021): whoever finds the
        order's intent after a crash knows by it that `not_after` + `settling_s` on, nothing of it can happen any more.

        Raises:
            NotDone: past `not_after`, nothing was sent; and as below.
            NotDone, Limited, Refused: surely not executed.
            OutcomeUnknown: it may have been, or may still be until `settles_at`.
        """

    async def find(self, symbol: str, client_order_id: str) -> OrderReport | None:
        """The newest order of this id; None: the exchange knows of none (−2013).

        After OutcomeUnknown, None is a proof only when it was asked after `settles_at`.
        """

    async def fills(self, symbol: str, order_id: int) -> Sequence[Fill]:
        """Oldest first; they may come some ms after the order's report: compare their sum with `executed`."""

    async def restrictions(self) -> Restrictions: ...


class Weights(Protocol):
    """What the exchange said of the weight that this address has used in the present minute, of all accounts and hubs on it."""

    def used(self) -> int: ...

    def is_under_half(self) -> bool: ...


class Gate(Protocol):
    """Until when nothing may go out from this address, of whatever account: a Retry-After or a ban.

    The exchange's client asks it before each request and closes it at a 429 or 418; the engine keeps it in the store, and
    closes it here with what another hub on the same address has learnt.
    """

    def blocked_until(self) -> datetime | None:
        """By this hub's clock; None: open."""

    def block(self, until: datetime, *, is_ban: bool = False) -> None:
        """An earlier instant than the one in force changes nothing."""

    @property
    def is_ban(self) -> bool: ...


class Exchange(Protocol):
    """Made once by `exchange.client.open_exchange(host)`; accounts share connections, weights, gate, rules and time."""

    @property
    def market(self) -> Market: ...

    @property
    def weights(self) -> Weights: ...

    @property
    def gate(self) -> Gate: ...

    def account(self, name: str, credentials: Credentials) -> Account:
        """`name` is the account's in records and breakers: an id or a name, no secret. Cheap: make one when needed."""
