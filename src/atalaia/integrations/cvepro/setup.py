"""What charging gives to the hub."""

from atalaia.sdk.integration import Host, Offer


def offer(host: Host) -> Offer:
    # Late: a worker finds this module too, and has no database.
    from atalaia.integrations.cvepro import pages, routes
    from atalaia.integrations.cvepro.board import Board
    from atalaia.integrations.cvepro.cloud import Cloud
    from atalaia.integrations.cvepro.dashboard import Dashboard
    from atalaia.integrations.cvepro.enrolling import Enrolling
    from atalaia.integrations.cvepro.importing import Importing
    from atalaia.integrations.cvepro.live import Live
    from atalaia.integrations.cvepro.model.reports import JOB
    from atalaia.integrations.cvepro.notice_api import NoticeRoutes
    from atalaia.integrations.cvepro.notices import Notices
    from atalaia.integrations.cvepro.ocpp.straight import Straight
    from atalaia.integrations.cvepro.offered import Offered
    from atalaia.integrations.cvepro.pages.plan import PlanPages
    from atalaia.integrations.cvepro.pages.reports import ReportPages
    from atalaia.integrations.cvepro.polling import Polling
    from atalaia.integrations.cvepro.reading import Reading
    from atalaia.integrations.cvepro.report_api import ReportRoutes
    from atalaia.integrations.cvepro.reports import Reports
    from atalaia.integrations.cvepro.repricing import Repricing
    from atalaia.integrations.cvepro.resident_api import ResidentRoutes
    from atalaia.integrations.cvepro.residents import Residents
    from atalaia.integrations.cvepro.standing import Standing
    from atalaia.integrations.cvepro.station_api import StationRoutes
    from atalaia.integrations.cvepro.tables import metadata
    from atalaia.integrations.cvepro.tariff_api import TariffRoutes
    from atalaia.integrations.cvepro.telling import Telling
    from atalaia.integrations.cvepro.usage_api import UsageRoutes

    cloud, board, standing = Cloud(host), Board(host), Standing(host)
    notices = Notices(host)
    telling = Telling(host, notices)
    reading, offered = Reading(host, cloud, telling), Offered(host, cloud, telling)
    polling = Polling(host, reading, offered, standing)
    live = Live(host, reading, offered, ring=polling.ring, is_cloud_well=lambda: polling.is_well)
    importing = Importing(host, cloud, lambda: polling.is_well)
    reports = Reports(host)
    residents, enrolling = Residents(host), Enrolling(host)
    straight = Straight(host, telling)

    async def stop() -> None:
        await live.stop()
        await polling.stop()
        await straight.stop()

    return Offer(
        routes=(
            *Dashboard(host, board).routes(),
            *routes.all_of(host, importing),
            *PlanPages(host, board).routes(),
            *TariffRoutes(host).routes(),
            *UsageRoutes(host).routes(),
            *ResidentRoutes(residents, enrolling).routes(),
            *NoticeRoutes(host).routes(),
            *ReportRoutes(host, reports).routes(),
            *StationRoutes(host, straight).routes(),
        ),
        pages=(
            *pages.all_of(host, board, importing),
            *pages.of_notices(host, notices),
            *pages.of_residents(host, board, residents, enrolling, reports),
            *ReportPages(host, reports).pages(),
            *pages.of_straight(host, straight),
        ),
        nav=pages.NAV,
        job_runs={JOB: reports.reporting.run},
        loops=(
            Repricing(host).loop(),
            polling.loop(),
            standing.loop(),
            importing.loop(),
            reports.loop(),
            live.loop(),
            notices.loop(),
            enrolling.loop(),
            *straight.loops(),
        ),
        sockets=straight.sockets(),
        on_message=notices.on_message,
        health=(standing.health(),),
        metadata=metadata,
        stop=stop,
    )
