"""Words for what is kept as a key."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from atalaia.core.errors import AtalaiaError, InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.binance.model.deciding import Reason, Undecided
from atalaia.integrations.binance.model.legs import IntentState
from atalaia.integrations.binance.model.verdicts import Verdict

# State of the badge, and its word.
VERDICTS: Final[Mapping[str, tuple[str, str]]] = {
    Verdict.HALF_CLOSED: ("down", N_("Half closed")),
    Verdict.CLOSING: ("degraded", N_("Being closed")),
    Verdict.LOSS: ("loss", N_("At a loss")),
    Verdict.RUNNING: ("maintenance", N_("Running")),
    Verdict.PROFIT: ("profit", N_("In profit")),
    Verdict.STOPPED: ("paused", N_("Stopped")),
}
REASONS: Final[Mapping[str, str]] = {
    Reason.TARGET: N_("Target reached"),
    Reason.STOP_LOSS: N_("Stop-loss"),
    Reason.TRAILING: N_("Trailing stop"),
    Reason.BY_HAND: N_("By hand"),
    Reason.PANIC: N_("Panic"),
}
UNDECIDED: Final[Mapping[str, str]] = {
    Undecided.NO_POSITION: N_("No leg of it is open at the exchange."),
    Undecided.STALE_PRICE: N_("The exchange's price is too old: nothing is decided upon it."),
    Undecided.COSTS_UNKNOWN: N_("Fees or funding have not been read yet: nothing is decided before."),
}
ORDERS: Final[Mapping[str, tuple[str, str]]] = {
    IntentState.OPEN: ("unknown", N_("Unknown")),
    IntentState.DONE: ("up", N_("Executed")),
    IntentState.NOT_DONE: ("paused", N_("Not executed")),
}


class Said(msgspec.Struct, frozen=True):
    """A text that the template translates."""

    text: str
    params: Mapping[str, Any] = {}
    hint: str = ""


def said(error: AtalaiaError) -> Said:
    return Said(error.message, error.params, error.hint or "")


def errors_of(error: AtalaiaError, *, conflict: str = "") -> dict[str, Said]:
    """By field; `conflict` is the field that a conflict is about."""
    return {error.field if isinstance(error, InvalidField) else conflict: said(error)}
