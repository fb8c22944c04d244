"""The pages below /cvepro."""

from typing import Final

from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.board import Board
from atalaia.integrations.cvepro.enrolling import Enrolling
from atalaia.integrations.cvepro.importing import Importing
from atalaia.integrations.cvepro.ocpp.straight import Straight
from atalaia.integrations.cvepro.pages.commands import Commands
from atalaia.integrations.cvepro.pages.enrolling import EnrollingPages
from atalaia.integrations.cvepro.pages.history import History
from atalaia.integrations.cvepro.pages.live import Live
from atalaia.integrations.cvepro.pages.residents import ResidentPages
from atalaia.integrations.cvepro.pages.sessions import Sessions
from atalaia.integrations.cvepro.pages.stations import Stations
from atalaia.integrations.cvepro.pages.tariffs import TariffPages
from atalaia.integrations.cvepro.residents import Residents
from atalaia.sdk.contribution import NavItem
from atalaia.sdk.integration import Host, Page

NAV: Final = (NavItem("watch", N_("Chargers"), "/cvepro", Permission.DASHBOARDS_READ, order=70, icon="bolt"),)


def of_straight(host: Host, straight: Straight) -> tuple[Page, ...]:
    return (*Stations(host, straight.admitting).pages(), *Commands(host, straight.commanding).pages())


def of_residents(host: Host, residents: Residents, enrolling: Enrolling) -> tuple[Page, ...]:
    return (*EnrollingPages(enrolling).pages(), *ResidentPages(host, residents).pages())


def all_of(host: Host, board: Board, importing: Importing) -> tuple[Page, ...]:
    return (
        *Live(host, board).pages(),
        *Sessions(host).pages(),
        *History(host, importing).pages(),
        *TariffPages(host).pages(),
    )
