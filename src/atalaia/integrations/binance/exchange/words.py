"""What to do about a refusal of the exchange, for whoever reads the error. The engine's incidents say more."""

from collections.abc import Mapping
from typing import Final

from atalaia.core.translations import N_

ONE_WAY_MODE: Final = -4061
_SECRET: Final = N_("Enter the API key and secret of this account anew.")
_RULES: Final = N_("The rules of the symbol may have changed: close it at the exchange by hand.")

HINTS: Final[Mapping[int, str]] = {
    -1022: _SECRET,
    -1111: _RULES,
    -1121: N_("Check the symbol: the exchange does not know it, or trades it no more."),
    -2014: _SECRET,
    -2015: N_("Check the API key, its permission for futures, and the addresses that it is bound to."),
    -2019: N_("Put margin into the futures account, or close the position at the exchange by hand."),
    -2022: N_("Look at the position at the exchange: it may be closed already, or be held by open orders."),
    -4003: _RULES,
    -4005: _RULES,
    ONE_WAY_MODE: N_(
        "Switch the account to hedge mode at the exchange; that needs it without positions and open orders."
    ),
    -4116: N_("An open order has this id already: look at it before anything else is sent."),
    -4164: _RULES,
}
