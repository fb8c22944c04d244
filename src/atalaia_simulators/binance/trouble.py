"""How a fault strikes: before anything is done, instead of an order, or after it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from atalaia_simulators.binance.errors import NOT_DONE, UNAVAILABLE, UNKNOWN_OUTCOME, Refusal, refused
from atalaia_simulators.binance.exchange import Call, Exchange
from atalaia_simulators.binance.faults import REFUSAL


@dataclass
class Silence(Exception):
    """No answer, ever; the connection is cut after so many seconds."""

    seconds: float = 0


@dataclass
class Later(Exception):
    """The order is done so many seconds after it was answered that nobody knows."""

    seconds: float


def unknown_outcome() -> Refusal:
    return Refusal(None, UNKNOWN_OUTCOME, UNAVAILABLE)


_BEFORE: Final[dict[str, Callable[[float], Exception]]] = {
    "order_503_not_done": lambda _: unknown_outcome(),
    "order_1007_not_done": lambda _: refused(-1007),
    "duplicate_client_id": lambda _: refused(-4116),
    "timeout_before_accept": Silence,
    "cut_before_accept": lambda _: Silence(),
    "late_accept_s": Later,
}
_AFTER: Final[dict[str, Callable[[float], Exception]]] = {
    "order_503_done": lambda _: unknown_outcome(),
    "order_1007_done": lambda _: refused(-1007),
    "timeout_after_accept": Silence,
    "cut_after_accept": lambda _: Silence(),
}


def trouble_address(exchange: Exchange, address: str, **about: str) -> None:
    """A ban or a pause begins with the request that meets the fault, once, and lasts by itself."""
    limits, faults = exchange.limits, exchange.faults
    if (seconds := faults.strike("ban_s", **about)) is not None:
        faults.change({"ban_s": None})
        limits.ban(address, seconds)
    if (seconds := faults.strike("rate_limit_s", **about)) is not None:
        faults.change({"rate_limit_s": None})
        limits.limit(address, seconds)


def trouble_request(exchange: Exchange, *, is_signed: bool, **about: str) -> None:
    """Raises: Refusal."""
    if exchange.faults.strike("service_unavailable", **about):
        raise Refusal(None, NOT_DONE, UNAVAILABLE)
    if exchange.faults.strike("overloaded", **about):
        raise refused(-1008)
    if is_signed and exchange.faults.strike("key_refused", **about):
        raise refused(-2015)


def before_order(exchange: Exchange, call: Call) -> None:
    """Raises: Refusal, Silence, Later: and it is not done, or not yet."""
    about = call.about
    if exchange.faults.look("refuse_leg", **about) == about["position_side"]:
        fault = exchange.faults.strike_whole("refuse_leg", **about)
        if fault is not None:
            raise refused(int(fault.more.get("code", REFUSAL)), least="5")
    for name, trouble in _BEFORE.items():
        if (value := exchange.faults.strike(name, **about)) is not None:
            raise trouble(value)


def after_order(exchange: Exchange, call: Call, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer. Raises: Refusal, Silence: but it is done."""
    about = call.about
    for name, trouble in _AFTER.items():
        if (value := exchange.faults.strike(name, **about)) is not None:
            raise trouble(value)
    if exchange.faults.strike("no_avg_price", **about):
        return {name: value for name, value in answer.items() if name not in {"avgPrice", "cumQuote"}}
    return answer
