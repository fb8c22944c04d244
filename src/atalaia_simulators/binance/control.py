"""What a test, or a person, does to the exchange: accounts, positions, prices, faults; and its book."""

import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from aiohttp import web

from atalaia_simulators.binance.accounts import Position, PositionSide
from atalaia_simulators.binance.exchange import DEFAULT_KEY, Exchange
from atalaia_simulators.faults import BadFault
from atalaia_simulators.log import Log

_CONTROL: Final = "/_sim"
_SIDES: Final = {"LONG", "SHORT", "BOTH"}
Act = Callable[[Any], Any]


class BadControl(Exception):
    """A wish that can't be fulfilled."""


class Control:
    def __init__(self, exchange: Exchange, log: Log, *, forget: Callable[[], None]) -> None:
        self._exchange = exchange
        self._log = log
        self._forget = forget

    def routes(self) -> list[web.RouteDef]:
        acts: Mapping[str, Act] = {
            "faults": self._change_faults,
            "accounts": self._open_accounts,
            "positions": self._place,
            "prices": self._set_prices,
            "price_path": self._script,
            "funding": self._fund,
            "reset": self._reset,
        }
        shows: Mapping[str, Callable[[web.Request], Any]] = {
            "faults": self._show_faults,
            "log": lambda _: list(self._log.entries),
            "book": lambda request: self._exchange.book.shown(request.query.get("api_key")),
            "prices": lambda _: {name: _text(self._exchange.prices.at(name)) for name in self._exchange.symbols},
        }
        return [
            *(web.post(f"{_CONTROL}/{name}", _acting(act)) for name, act in acts.items()),
            *(web.get(f"{_CONTROL}/{name}", _showing(show)) for name, show in shows.items()),
        ]

    def _show_faults(self, _request: web.Request) -> dict[str, Any]:
        return {"on": self._exchange.faults.shown(), "known": self._exchange.faults.known()}

    def _change_faults(self, wanted: Any) -> dict[str, Any]:
        wanted = _as_floats(wanted)
        self._exchange.faults.change(wanted)
        if not wanted or not wanted.get("ban_s", True) or not wanted.get("rate_limit_s", True):
            self._exchange.limits.lift()
        return self._exchange.faults.shown()

    def _open_accounts(self, wanted: Any) -> Any:
        """One, or a list of them; one that there is is changed."""
        for each in _each(wanted):
            key, secret = _text_of(each, "api_key"), _text_of(each, "api_secret")
            accounts = self._exchange.book.accounts
            account = accounts.get(key) or self._exchange.open_account(key, secret)
            account.api_secret = secret
            account.wallet = _number_of(each, "balance", account.wallet)
            account.taker = _number_of(each, "taker", account.taker)
            account.maker = _number_of(each, "maker", account.maker)
            account.can_withdraw = bool(each.get("can_withdraw", account.can_withdraw))
            account.is_hedge = bool(each.get("hedge_mode", account.is_hedge))
            account.fee_asset = str(each.get("fee_asset", account.fee_asset))
        return self._exchange.book.shown()["accounts"]

    def _place(self, wanted: Any) -> Any:
        """All of them, or none."""
        placed = [self._position(each) for each in _each(wanted)]
        for key, position in placed:
            self._exchange.book.place(self._exchange.book.accounts[key], position)
        return self._exchange.book.shown()["positions"]

    def _position(self, wanted: Mapping[str, Any]) -> tuple[str, Position]:
        key, side = str(wanted.get("api_key", DEFAULT_KEY)), wanted.get("position_side")
        if key not in self._exchange.book.accounts:
            raise BadControl(f"there is no account {key!r}: POST {_CONTROL}/accounts")
        if side not in _SIDES:
            raise BadControl("position_side is LONG, SHORT or BOTH")
        symbol = self._symbol(wanted.get("symbol"))
        quantity = _number_of(wanted, "quantity")
        if quantity % self._exchange.symbols[symbol].step:
            raise BadControl(f"quantity: {symbol} goes in steps of {_text(self._exchange.symbols[symbol].step)}")
        amount = -abs(quantity) if side == "SHORT" else abs(quantity) if side == "LONG" else quantity
        entry = _number_of(wanted, "entry_price", self._exchange.prices.at(symbol))
        position_side: PositionSide = side
        return key, Position(symbol, position_side, amount, entry, self._exchange.now_ms())

    def _set_prices(self, wanted: Any) -> Any:
        prices = {self._symbol(name): _positive(name, price) for name, price in _object(wanted).items()}
        for symbol, price in prices.items():
            self._exchange.prices.set(symbol, price)
        return {symbol: _text(price) for symbol, price in prices.items()}

    def _script(self, wanted: Any) -> Any:
        paths = {
            self._symbol(name): [(float(seconds), _positive(name, price)) for seconds, price in path]
            for name, path in _object(wanted).items()
        }
        for symbol, path in paths.items():
            self._exchange.prices.follow(symbol, path)
        return {symbol: len(path) for symbol, path in paths.items()}

    def _fund(self, wanted: Any) -> Any:
        """`{symbol: rate}`: who is long pays a positive rate to who is short, at once."""
        rates = {self._symbol(name): _decimal(name, rate) for name, rate in _object(wanted).items()}
        for symbol, rate in rates.items():
            self._exchange.book.pay_funding(symbol, rate, now_ms=self._exchange.now_ms())
        return {symbol: _text(rate) for symbol, rate in rates.items()}

    def _reset(self, _wanted: Any) -> Any:
        self._forget()
        return {}

    def _symbol(self, name: Any) -> str:
        if name not in self._exchange.symbols:
            raise BadControl(f"there is no symbol {name!r}; there are {', '.join(self._exchange.symbols)}")
        return str(name)


def _acting(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        try:
            return _json(act(json.loads(await request.text() or "{}", parse_float=Decimal)))
        except (BadControl, BadFault) as error:
            return _json({"error": str(error)}, status=400)
        except (ValueError, TypeError) as error:
            return _json({"error": f"that can't be read: {error}"}, status=400)

    return handle


def _showing(show: Callable[[web.Request], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        return _json(show(request))

    return handle


def _json(value: Any, *, status: int = 200) -> web.Response:
    return web.json_response(value, status=status, dumps=lambda it: json.dumps(it, ensure_ascii=False))


def _each(wanted: Any) -> list[Mapping[str, Any]]:
    rows = wanted if isinstance(wanted, list) else [wanted]
    return [_object(row) for row in rows]


def _object(wanted: Any) -> Mapping[str, Any]:
    if not isinstance(wanted, dict):
        raise BadControl("an object is wanted")
    return wanted


def _text_of(given: Mapping[str, Any], name: str) -> str:
    if not isinstance(found := given.get(name), str) or not found:
        raise BadControl(f"{name} is missing")
    return found


def _number_of(given: Mapping[str, Any], name: str, default: Decimal | None = None) -> Decimal:
    if name not in given and default is not None:
        return default
    return _decimal(name, given.get(name))


def _positive(name: str, value: Any) -> Decimal:
    if (price := _decimal(name, value)) <= 0:
        raise BadControl(f"{name}: a price is more than nothing")
    return price


def _decimal(name: str, value: Any) -> Decimal:
    """From text or a number, to the last digit."""
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise BadControl(f"{name} is no number: {value!r}") from error
    if not found.is_finite():
        raise BadControl(f"{name} is no number: {value!r}")
    return found


def _text(value: Decimal) -> str:
    return format(value, "f")


def _as_floats(value: Any) -> Any:
    """Faults are no money."""
    if isinstance(value, dict):
        return {key: _as_floats(each) for key, each in value.items()}
    return float(value) if isinstance(value, Decimal) else value
