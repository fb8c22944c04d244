"""Whether an operation is to be closed now."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from atalaia.integrations.binance.model.result import Result


class Reason(StrEnum):
    """Why it is closed."""

    TARGET = "target"
    STOP_LOSS = "stop_loss"
    TRAILING = "trailing"
    BY_HAND = "by_hand"
    PANIC = "panic"


class Undecided(StrEnum):
    """Why nothing is decided."""

    NO_POSITION = "no_position"
    STALE_PRICE = "stale_price"
    COSTS_UNKNOWN = "costs_unknown"  # commission rate or funding has not been read yet


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """`stop_loss` is a loss, given positive.

    With `trailing`, reaching the target begins to follow the result upward; it is closed once it has fallen by `trailing`
    from the highest.
    """

    profit_target: Decimal
    stop_loss: Decimal | None = None
    trailing: Decimal | None = None
    is_gross: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """`peak` is the highest result since the target was reached, to be kept for the next time (trailing only)."""

    reason: Reason | None = None
    peak: Decimal | None = None
    undecided: Undecided | None = None


def decide(
    result: Result | None, wishes: Wishes, *, peak: Decimal | None, price_age_s: float, max_price_age_s: float
) -> Decision:
    if wishes.trailing is None:
        peak = None
    if result is None:
        return Decision(peak=peak, undecided=Undecided.NO_POSITION)
    if not -max_price_age_s <= price_age_s <= max_price_age_s:  # one from the future is no better
        return Decision(peak=peak, undecided=Undecided.STALE_PRICE)
    value = result.value(is_gross=wishes.is_gross)
    if value is None:
        return Decision(peak=peak, undecided=Undecided.COSTS_UNKNOWN)
    if wishes.stop_loss is not None and value <= -wishes.stop_loss:
        return Decision(reason=Reason.STOP_LOSS, peak=peak)
    if wishes.trailing is None:
        return Decision(reason=Reason.TARGET if value >= wishes.profit_target else None)
    return _trailed(value, wishes.profit_target, wishes.trailing, peak)


def _trailed(value: Decimal, target: Decimal, trailing: Decimal, peak: Decimal | None) -> Decision:
    if peak is None and value < target:
        return Decision()
    highest = value if peak is None else max(peak, value)
    return Decision(reason=Reason.TRAILING if value <= highest - trailing else None, peak=highest)
