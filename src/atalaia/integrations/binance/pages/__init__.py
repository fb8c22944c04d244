"""The pages below /binance."""

from typing import Final

from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.binance.desk import Desk
from atalaia.sdk.contribution import NavItem
from atalaia.sdk.integration import Page

NAV: Final = (NavItem("act", N_("Auto-close"), "/binance", Permission.TRADING_READ, order=40, icon="chart"),)


def all_of(desk: Desk) -> tuple[Page, ...]:
    return ()
