"""How an operation stands, in one word for people. Pure."""

from decimal import Decimal, localcontext
from enum import StrEnum
from typing import Final

from atalaia.integrations.binance.model.money import EXACT
from atalaia.integrations.binance.model.operations import Watched
from atalaia.integrations.binance.model.states import State

_PART: Final = Decimal("0.000001")


class Verdict(StrEnum):
    """Worst first, as lists are sorted."""

    HALF_CLOSED = "half_closed"
    CLOSING = "closing"
    LOSS = "loss"
    RUNNING = "running"
    PROFIT = "profit"
    STOPPED = "stopped"


def verdict_of(watched: Watched) -> Verdict:
    operation, value = watched.operation, watched.standing.current_pnl
    if operation.state is State.PARTIALLY_CLOSED:
        return Verdict.HALF_CLOSED
    if operation.state is State.CLOSING or operation.wanted is not None:
        return Verdict.CLOSING
    if not operation.auto_close_enabled:
        return Verdict.STOPPED
    if value is None or value == 0:
        return Verdict.RUNNING
    return Verdict.PROFIT if value > 0 else Verdict.LOSS


def ratio_of(value: Decimal | None, basis: Decimal | None) -> Decimal | None:
    """A result as a part of what both legs cost, to six decimals."""
    if value is None or not basis:
        return None
    with localcontext(EXACT):
        return (value / basis).quantize(_PART)


def distance_of(watched: Watched) -> Decimal | None:
    """What is missing to the target; nothing or less where it is reached."""
    value = watched.standing.current_pnl
    if value is None:
        return None
    with localcontext(EXACT):
        return watched.operation.wishes.profit_target - value
