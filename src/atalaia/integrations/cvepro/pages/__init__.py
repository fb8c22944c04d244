"""The pages below /cvepro."""

from typing import Final

from atalaia.core.permissions import Permission, Role
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.cloud.importing import Importing
from atalaia.integrations.cvepro.ocpp.straight import Straight
from atalaia.integrations.cvepro.pages.cloud_tags import CloudTags
from atalaia.integrations.cvepro.pages.commands import Commands
from atalaia.integrations.cvepro.pages.enrolling import EnrollingPages
from atalaia.integrations.cvepro.pages.history import History
from atalaia.integrations.cvepro.pages.live import Live
from atalaia.integrations.cvepro.pages.mine import Mine
from atalaia.integrations.cvepro.pages.notice_words import WordPages
from atalaia.integrations.cvepro.pages.notices import NoticePages
from atalaia.integrations.cvepro.pages.plan import PlanPages
from atalaia.integrations.cvepro.pages.residents import ResidentPages
from atalaia.integrations.cvepro.pages.sessions import Sessions
from atalaia.integrations.cvepro.pages.stations import Stations
from atalaia.integrations.cvepro.pages.tariffs import TariffPages
from atalaia.integrations.cvepro.pages.usage import UsagePage
from atalaia.integrations.cvepro.service.board import Board
from atalaia.integrations.cvepro.service.enrolling import Enrolling
from atalaia.integrations.cvepro.service.notices import Notices
from atalaia.integrations.cvepro.service.reports import Reports
from atalaia.integrations.cvepro.service.residents import Residents
from atalaia.sdk.contribution import NavItem
from atalaia.sdk.integration import Host, Page

NAV: Final = (
    NavItem("watch", N_("Chargers"), "/cvepro", Permission.DASHBOARDS_READ, order=70, icon="charger"),
    NavItem(
        "watch",
        N_("My charging"),
        "/cvepro/mine",
        Permission.DASHBOARDS_READ,
        order=71,
        icon="plug",
        roles=frozenset({Role.CLIENT}),
    ),
)


def of_straight(host: Host, straight: Straight) -> tuple[Page, ...]:
    return (*Stations(host, straight.admitting).pages(), *Commands(host, straight.commanding).pages())


def of_residents(
    host: Host, board: Board, residents: Residents, enrolling: Enrolling, reports: Reports
) -> tuple[Page, ...]:
    return (
        *EnrollingPages(enrolling).pages(),
        *ResidentPages(host, residents).pages(),
        *CloudTags(host, residents).pages(),
        *Mine(host, board, reports).pages(),
    )


def of_notices(host: Host, notices: Notices) -> tuple[Page, ...]:
    return (*NoticePages(host, notices).pages(), *WordPages(host, notices).pages())


def all_of(host: Host, board: Board, importing: Importing) -> tuple[Page, ...]:
    return (
        *Live(host, board).pages(),
        *PlanPages(host, board).pages(),
        *Sessions(host).pages(),
        *History(host, importing).pages(),
        *UsagePage(host).pages(),
        *TariffPages(host).pages(),
    )
