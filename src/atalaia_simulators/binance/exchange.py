"""The exchange without its wires: what everybody's handlers share."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from atalaia_simulators.binance.accounts import Account, PositionSide
from atalaia_simulators.binance.book import Book
from atalaia_simulators.binance.decimals import rounded
from atalaia_simulators.binance.errors import missing, refused
from atalaia_simulators.binance.faults import Faults
from atalaia_simulators.binance.limits import Limits
from atalaia_simulators.binance.prices import Prices
from atalaia_simulators.binance.symbols import SYMBOLS, Symbol

DEFAULT_KEY = "simulated-key"
DEFAULT_SECRET = "simulated-secret"  # noqa: S105 - of an account that the simulator alone knows
TAKER = Decimal("0.0005")
MAKER = Decimal("0.0002")
BALANCE = Decimal(100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`fills` in how many parts a market order is filled, each `slip_ticks` worse than the one before.

    `log_limit`: how many requests the log keeps.
    """

    symbols: Mapping[str, Symbol] = field(default_factory=lambda: SYMBOLS)
    weight_limit: int = 2400
    orders_10s_limit: int = 300
    orders_1m_limit: int = 1200
    fills: int = 1
    slip_ticks: int = 0
    log_limit: int = 50_000
    now: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked. `now_ms` is what the exchange takes for the time."""

    method: str
    path: str
    params: Mapping[str, str]
    now_ms: int
    owner: Account | None = None

    @property
    def account(self) -> Account:
        if self.owner is None:
            raise refused(-2014)
        return self.owner

    @property
    def about(self) -> dict[str, str]:
        """What a fault may be narrowed to."""
        return about_request(self.method, self.path, self.params, self.owner.api_key if self.owner else None)

    def need(self, name: str) -> str:
        """Raises: Refusal."""
        if not (text := self.params.get(name, "")):
            raise missing(name)
        return text

    def number(self, name: str, default: int | None = None) -> int:
        """Raises: Refusal."""
        text = self.params.get(name, "" if default is None else str(default))
        if not (text.isascii() and text.isdigit()):
            raise missing(name)
        return int(text)


def about_request(method: str, path: str, params: Mapping[str, str], api_key: str | None) -> dict[str, str]:
    return {
        "method": method,
        "path": path,
        "symbol": params.get("symbol", ""),
        "position_side": params.get("positionSide", ""),
        "api_key": api_key or "",
    }


class Exchange:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.symbols = options.symbols
        self.faults = Faults()
        self.limits = Limits(
            weight=options.weight_limit,
            orders_10s=options.orders_10s_limit,
            orders_1m=options.orders_1m_limit,
            now=options.now,
        )
        self._open()

    def reset(self) -> None:
        """As on the first day."""
        self.faults.change({})
        self.limits.forget()
        self._open()

    def _open(self) -> None:
        self.prices = Prices({name: each.price for name, each in self.symbols.items()}, now=self.options.now)
        self.book = Book(self.prices.at)
        self.open_account(DEFAULT_KEY, DEFAULT_SECRET)

    def now_ms(self) -> int:
        """Its own clock, wrong by the fault."""
        return int(self.options.now() * 1000 + self.faults.look("clock_skew_ms", 0))

    def open_account(self, api_key: str, api_secret: str, *, balance: Decimal = BALANCE) -> Account:
        account = Account(api_key, api_secret, balance, TAKER, MAKER)
        self.book.accounts[api_key] = account
        return account

    def symbol(self, name: str) -> Symbol:
        """Raises: Refusal."""
        found = self.symbols.get(name)
        if found is None:
            raise refused(-1121)
        return found

    def asked_symbol(self, call: Call) -> Symbol:
        return self.symbol(call.need("symbol"))

    def chosen(self, call: Call) -> Sequence[Symbol]:
        """The one that is asked for, or all. Raises: Refusal."""
        name = call.params.get("symbol")
        return [self.symbol(name)] if name else list(self.symbols.values())

    def margin(self, account: Account, symbol: str, side: PositionSide) -> Decimal:
        """What a position ties up."""
        amount = abs(account.position(symbol, side).amount)
        return rounded(amount * self.prices.at(symbol) / account.leverage_of(symbol))

    def total_margin(self, account: Account) -> Decimal:
        return sum((self.margin(account, symbol, side) for symbol, side in account.positions), Decimal(0))

    def unrealised(self, account: Account) -> Decimal:
        positions = account.positions.values()
        return sum((each.unrealised(self.prices.at(each.symbol)) for each in positions), Decimal(0))

    def available(self, account: Account) -> Decimal:
        """Cross margin: what is lost but not realised counts, and so does what is won."""
        return account.wallet + self.unrealised(account) - self.total_margin(account)
