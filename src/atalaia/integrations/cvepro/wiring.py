"""All rooms of charging, made once and handed to each other."""

from atalaia.integrations.cvepro import pages
from atalaia.integrations.cvepro.api import imports
from atalaia.integrations.cvepro.api.dashboard import Dashboard
from atalaia.integrations.cvepro.api.notices import NoticeRoutes
from atalaia.integrations.cvepro.api.reports import ReportRoutes
from atalaia.integrations.cvepro.api.residents import ResidentRoutes
from atalaia.integrations.cvepro.api.stations import StationRoutes
from atalaia.integrations.cvepro.api.tariffs import TariffRoutes
from atalaia.integrations.cvepro.api.twins import TwinRoutes
from atalaia.integrations.cvepro.api.usage import UsageRoutes
from atalaia.integrations.cvepro.cloud.client import Cloud
from atalaia.integrations.cvepro.cloud.importing import Importing
from atalaia.integrations.cvepro.cloud.live import Live
from atalaia.integrations.cvepro.cloud.offered import Offered
from atalaia.integrations.cvepro.cloud.polling import Polling
from atalaia.integrations.cvepro.cloud.reading import Reading
from atalaia.integrations.cvepro.cloud.standing import Standing
from atalaia.integrations.cvepro.model.reports import JOB
from atalaia.integrations.cvepro.ocpp.straight import Straight
from atalaia.integrations.cvepro.pages.plan import PlanPages
from atalaia.integrations.cvepro.pages.reports import ReportPages
from atalaia.integrations.cvepro.service.answers import Answers
from atalaia.integrations.cvepro.service.board import Board
from atalaia.integrations.cvepro.service.enrolling import Enrolling
from atalaia.integrations.cvepro.service.notices import Notices
from atalaia.integrations.cvepro.service.reports import Reports
from atalaia.integrations.cvepro.service.repricing import Repricing
from atalaia.integrations.cvepro.service.residents import Residents
from atalaia.integrations.cvepro.service.telling import Telling
from atalaia.integrations.cvepro.service.twins import Twins
from atalaia.integrations.cvepro.tables import metadata
from atalaia.sdk.contribution import Loop
from atalaia.sdk.integration import Host, Offer, Page, Route


class Wiring:
    def __init__(self, host: Host) -> None:
        self._host = host
        self._board, self._standing = Board(host), Standing(host)
        self._notices = Notices(host)
        cloud, telling = Cloud(host), Telling(host, self._notices)
        reading, offered = Reading(host, cloud, telling), Offered(host, cloud, telling)
        self._polling = Polling(host, reading, offered, self._standing)
        self._live = Live(host, reading, offered, ring=self._polling.ring, is_cloud_well=lambda: self._polling.is_well)
        self._importing = Importing(host, cloud, lambda: self._polling.is_well)
        self._reports = Reports(host)
        self._residents, self._enrolling = Residents(host), Enrolling(host)
        self._straight = Straight(host, telling)

    def offer(self) -> Offer:
        return Offer(
            routes=self._routes(),
            pages=self._pages(),
            nav=pages.NAV,
            job_runs={JOB: self._reports.reporting.run},
            loops=self._loops(),
            sockets=self._straight.sockets(),
            on_message=self._notices.on_message,
            on_received=Answers(self._host, self._notices.link).on_received,
            health=(self._standing.health(),),
            is_in_use=self._standing.is_in_use,
            metadata=metadata,
            stop=self._stop,
        )

    def _routes(self) -> tuple[Route, ...]:
        host = self._host
        return (
            *Dashboard(host, self._board).routes(),
            *imports.all_of(host, self._importing),
            *PlanPages(host, self._board).routes(),
            *TariffRoutes(host).routes(),
            *UsageRoutes(host).routes(),
            *TwinRoutes(Twins(host)).routes(),
            *ResidentRoutes(self._residents, self._enrolling).routes(),
            *NoticeRoutes(host).routes(),
            *ReportRoutes(host, self._reports).routes(),
            *StationRoutes(host, self._straight).routes(),
        )

    def _pages(self) -> tuple[Page, ...]:
        host = self._host
        return (
            *pages.all_of(host, self._board, self._importing),
            *pages.of_notices(host, self._notices),
            *pages.of_residents(host, self._board, self._residents, self._enrolling, self._reports),
            *ReportPages(host, self._reports).pages(),
            *pages.of_straight(host, self._straight),
        )

    def _loops(self) -> tuple[Loop, ...]:
        return (
            Repricing(self._host).loop(),
            self._polling.loop(),
            self._standing.loop(),
            self._importing.loop(),
            self._reports.loop(),
            self._live.loop(),
            self._notices.loop(),
            self._enrolling.loop(),
            *self._straight.loops(),
        )

    async def _stop(self) -> None:
        await self._live.stop()
        await self._polling.stop()
        await self._straight.stop()
