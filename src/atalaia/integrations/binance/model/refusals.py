"""What the exchange's refusals mean, and what to do: for the one who is woken by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from atalaia.core.translations import N_


@dataclass(frozen=True, slots=True)
class Meaning:
    title: str  # English, a key of the translations
    what_to_do: str


_LOOK: Final = "Open the symbol's positions at the exchange, and compare both legs with the page of the operation."
MEANINGS: Final[Mapping[int, Meaning]] = {
    -2022: Meaning(
        N_("The exchange refused to close a leg: it sees no position of this size (−2022)"),
        "Somebody may have closed or reduced the leg by hand, or another order is about to. If the leg is gone, the "
        "operation ends by itself at the next run; if it stands, close it by hand.",
    ),
    -2019: Meaning(
        N_("The exchange refused an order for lack of margin (−2019)"),
        "The account has too little free margin. Add margin or cancel open orders of the account; the close is tried again "
        "by itself. If the price runs away, close the leg by hand.",
    ),
    -4061: Meaning(
        N_("The account is not in hedge mode (−4061)"),
        "The position side of the order does not fit the account's mode. Set the position mode to *Hedge* at the exchange "
        "(Preferences → Position mode); it can't be changed while positions are open, so close them by hand if they are of "
        "one-way mode.",
    ),
    -1111: Meaning(
        N_("The exchange refused a quantity for its precision (−1111)"),
        "The symbol's rules have changed. They are read anew within the hour; if the leg must go now, close it by hand.",
    ),
    -4164: Meaning(
        N_("The exchange refused an order as too small (−4164)"),
        "What is left of the leg is below the smallest order. Close it by hand, with *Close position*.",
    ),
    -2015: Meaning(
        N_("The exchange does not take the account's API key (−2015)"),
        "The key was deleted, has no permission for futures, or does not allow this hub's address. Mend it at the exchange, "
        "or add the account anew with another key.",
    ),
}
_OTHER: Final = Meaning(
    N_("The exchange refused to close a leg"), "Close what is left of it by hand if it must go now."
)


# Of the exchange's own troubles, not of the order: too many requests, no answer in time, overloaded, the time.
_PASSING: Final = frozenset({-1003, -1007, -1008, -1015, -1021})


def is_refusal(exchange_code: int | None) -> bool:
    """Whether the exchange said no to the order itself, so that the same order is hardly ever taken at once."""
    return bool(exchange_code) and exchange_code not in _PASSING


def meaning_of(exchange_code: int | None) -> Meaning:
    return MEANINGS.get(exchange_code or 0, _OTHER)


def runbook_of(exchange_code: int | None) -> str:
    """Markdown."""
    steps = (
        _LOOK,
        meaning_of(exchange_code).what_to_do,
        "The hub goes on trying by itself, and this ends when it is closed.",
    )
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, 1))
