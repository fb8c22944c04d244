"""Weights and bans of an address, orders of an account. By the true clock, in whole minutes as the exchange counts."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil

from atalaia_simulators.binance.errors import BANNED, TOO_MANY, Refusal

MINUTE_S = 60
TEN_S = 10
_PATIENCE = 20  # requests that ignore a 429, then the address is banned
_FIRST_BAN_S = 120


@dataclass(slots=True)
class _Window:
    """A count that begins anew with each window."""

    length_s: int
    number: int = -1
    used: int = 0

    def add(self, amount: int, now: float) -> int:
        number = int(now // self.length_s)
        if number != self.number:
            self.number, self.used = number, 0
        self.used += amount
        return self.used

    def rest_s(self, now: float) -> float:
        return self.length_s - now % self.length_s


@dataclass(slots=True)
class _Address:
    weight: _Window = field(default_factory=lambda: _Window(MINUTE_S))
    limited_until: float = 0.0
    banned_until: float = 0.0
    ignored: int = 0


@dataclass(slots=True)
class _Orders:
    ten_s: _Window = field(default_factory=lambda: _Window(TEN_S))
    minute: _Window = field(default_factory=lambda: _Window(MINUTE_S))


class Limits:
    def __init__(self, *, weight: int, orders_10s: int, orders_1m: int, now: Callable[[], float]) -> None:
        self.weight_limit = weight
        self.orders_10s_limit = orders_10s
        self.orders_1m_limit = orders_1m
        self._now = now
        self.forget()

    def forget(self) -> None:
        self._addresses: defaultdict[str, _Address] = defaultdict(_Address)
        self._orders: defaultdict[str, _Orders] = defaultdict(_Orders)

    def lift(self) -> None:
        """No address is banned or limited any more."""
        for address in self._addresses.values():
            address.limited_until = address.banned_until = 0.0

    def ban(self, address: str, seconds: float) -> None:
        self._addresses[address].banned_until = self._now() + seconds

    def limit(self, address: str, seconds: float) -> None:
        self._addresses[address].limited_until = self._now() + seconds

    def admit(self, address: str) -> None:
        """Raises: Refusal: it is banned, or has to wait; to come all the same makes it worse."""
        now, found = self._now(), self._addresses[address]
        if now < found.limited_until:
            found.ignored += 1
            if found.ignored > _PATIENCE:
                found.banned_until = max(found.banned_until, now + _FIRST_BAN_S)
        else:
            found.ignored = 0
        if now < found.banned_until:
            raise _banned(address, found.banned_until, now)
        if now < found.limited_until:
            raise self._limited(address, found.limited_until - now)

    def charge(self, address: str, weight: int) -> int:
        """What the address has used of this minute. Raises: Refusal: too much."""
        now, found = self._now(), self._addresses[address]
        used = found.weight.add(weight, now)
        if used > self.weight_limit:
            found.limited_until = max(found.limited_until, now + found.weight.rest_s(now))
            raise self._limited(address, found.limited_until - now)
        return used

    def used(self, address: str) -> int:
        return self._addresses[address].weight.add(0, self._now())

    def charge_order(self, api_key: str) -> None:
        """Raises: Refusal: too many orders of this account."""
        now, found = self._now(), self._orders[api_key]
        for window, most, per in (
            (found.ten_s, self.orders_10s_limit, "10 SECONDS"),
            (found.minute, self.orders_1m_limit, "1 MINUTE"),
        ):
            if window.add(1, now) > most:
                message = f"Too many new orders; current limit is {most} orders per {per}."
                raise Refusal(-1015, message, TOO_MANY, {"Retry-After": str(ceil(window.rest_s(now)))})

    def order_counts(self, api_key: str) -> tuple[int, int]:
        """Of ten seconds and of a minute."""
        now, found = self._now(), self._orders[api_key]
        return found.ten_s.add(0, now), found.minute.add(0, now)

    def _limited(self, address: str, seconds: float) -> Refusal:
        message = (
            f"Too many requests; current limit of IP({address}) is {self.weight_limit} requests per minute. "
            "Please use the websocket for live updates to avoid polling the API."
        )
        return Refusal(-1003, message, TOO_MANY, {"Retry-After": str(ceil(seconds))})


def _banned(address: str, until: float, now: float) -> Refusal:
    message = (
        f"Way too many requests; IP({address}) banned until {int(until * 1000)}. "
        "Please use the websocket for live updates to avoid bans."
    )
    return Refusal(-1003, message, BANNED, {"Retry-After": str(ceil(until - now))})
