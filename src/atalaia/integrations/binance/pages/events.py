"""What happened to an operation, in words."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import msgspec

from atalaia.core.translations import N_, Locale
from atalaia.integrations.binance.model.operations import OperationEvent
from atalaia.integrations.binance.pages.figures import amount, exact
from atalaia.integrations.binance.pages.words import REASONS

# Kind: how it is marked in the list (see ui.timeline_event), and its title.
_TITLES: Final[Mapping[str, tuple[str, str]]] = {
    "created": ("job", N_("Entered")),
    "changed": ("comment", N_("Changed")),
    "started": ("job", N_("Started")),
    "stopped": ("comment", N_("Stopped")),
    "close_wanted": ("acknowledged", N_("To be closed")),
    "given_up": ("comment", N_("Given up: nobody watches it any more")),
    "would_close": ("acknowledged", N_("Dry run: it would be closed now")),
    "nothing_to_close": ("comment", N_("There was nothing to close")),
    "leg_gone": ("down", N_("A leg is gone that was not closed here")),
    "closing": ("job", N_("Closing both legs")),
    "order_done": ("up", N_("{side} executed")),
    "order_not_done": ("down", N_("{side} not executed")),
    "order_unknown": ("down", N_("{side}: unknown whether it was executed; the exchange is asked")),
    "sent_again": ("job", N_("What is left is sent again")),
    "partially_closed": ("down", N_("Closed by half: one leg still stands")),
    "nothing_done": ("down", N_("The exchange confirms that nothing was done: it is watched again")),
    "closed": ("closed", N_("Both legs are closed")),
}
_LABELS: Final[Mapping[str, str]] = {
    "quantity": N_("Quantity"),
    "executed": N_("Executed"),
    "average_price": N_("Average price"),
    "mark": N_("Mark price"),
    "LONG": "LONG",
    "SHORT": "SHORT",
    "gross": N_("Gross"),
    "fees": N_("Fees"),
    "funding": N_("Funding"),
    "net": N_("Net"),
    "target": N_("Profit target"),
    "peak": N_("Highest"),
    "symbol": N_("Symbol"),
    "name": N_("Name"),
    "profit_target": N_("Profit target"),
    "stop_loss": N_("Stop-loss"),
    "trailing": N_("Trailing"),
    "is_gross": N_("Decides at gross"),
    "auto_close_enabled": N_("Watched"),
    "dry_run": N_("Dry run"),
    "exchange_code": N_("The exchange's code"),
    "client_order_id": N_("Order"),
}
_EXACT: Final = frozenset({"quantity", "executed", "average_price", "mark"})
_AS_IT_IS: Final = frozenset({"symbol", "name", "client_order_id", "exchange_code"})
_YES, _NO = N_("yes"), N_("no")


class Fact(msgspec.Struct, frozen=True):
    """`is_word`: the value is translated by the template."""

    label: str
    value: str
    is_word: bool = False


class Happening(msgspec.Struct, frozen=True):
    at: datetime
    mark: str
    title: str
    params: Mapping[str, str]
    reason: str
    who: str
    facts: Sequence[Fact]
    failures: Sequence[str]


def happening_of(event: OperationEvent, locale: Locale) -> Happening:
    data = event.data
    mark, title = _TITLES.get(event.kind, ("", event.kind))
    failures = [*data.get("failures", ()), *([data["failure"]] if data.get("failure") else [])]
    return Happening(
        at=event.at,
        mark=mark,
        title=title,
        params={"side": str(data.get("side", ""))},
        reason=REASONS.get(str(data.get("reason", "")), ""),
        who=str(data.get("by", "")),
        facts=[fact for name, value in data.items() if (fact := _fact(event.kind, name, value, locale))],
        failures=[str(failure) for failure in failures],
    )


def _fact(kind: str, name: str, value: Any, locale: Locale) -> Fact | None:
    label = _LABELS.get(name)
    if label is None or value is None or (kind == "nothing_to_close" and name == "dry_run" and not value):
        return None
    if isinstance(value, bool):
        return _flag(kind, name, label, value=value)
    if name in _AS_IT_IS:
        return Fact(label, str(value))
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return Fact(label, str(value))
    if name in _EXACT or (name in {"LONG", "SHORT"} and kind in {"sent_again", "partially_closed"}):
        return Fact(label, exact(number, locale))
    return Fact(label, amount(number, locale))


def _flag(kind: str, name: str, label: str, *, value: bool) -> Fact | None:
    """Of one that was entered only what is out of the ordinary is told."""
    if kind in {"started", "stopped"} or (kind == "created" and value == (name == "auto_close_enabled")):
        return None
    return Fact(_LABELS["is_gross"] if name == "gross" else label, _YES if value else _NO, is_word=True)
