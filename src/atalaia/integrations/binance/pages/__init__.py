"""The pages below /binance."""

from typing import Final

from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.binance.desk import Desk
from atalaia.integrations.binance.pages.accounts import AccountPages
from atalaia.integrations.binance.pages.entering import Entering
from atalaia.integrations.binance.pages.history import HistoryPages
from atalaia.integrations.binance.pages.listing import Listing
from atalaia.integrations.binance.pages.panic import PanicPages
from atalaia.integrations.binance.pages.showing import Showing
from atalaia.sdk.contribution import NavItem
from atalaia.sdk.integration import Page

NAV: Final = (NavItem("act", N_("Auto-close"), "/binance", Permission.TRADING_READ, order=40, icon="target"),)
_KINDS: Final = (Listing, Showing, Entering, HistoryPages, AccountPages, PanicPages)


def all_of(desk: Desk) -> tuple[Page, ...]:
    return tuple(page for kind in _KINDS for page in kind(desk).pages())
