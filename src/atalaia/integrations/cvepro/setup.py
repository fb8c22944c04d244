"""What charging gives to the hub."""

from atalaia.sdk.integration import Host, Offer


def offer(host: Host) -> Offer:
    # Late: a worker finds this module too, and has no database.
    from atalaia.integrations.cvepro import pages, routes
    from atalaia.integrations.cvepro.board import Board
    from atalaia.integrations.cvepro.cloud import Cloud
    from atalaia.integrations.cvepro.dashboard import Dashboard
    from atalaia.integrations.cvepro.importing import Importing
    from atalaia.integrations.cvepro.polling import Polling
    from atalaia.integrations.cvepro.reading import Reading
    from atalaia.integrations.cvepro.standing import Standing
    from atalaia.integrations.cvepro.tables import metadata
    from atalaia.integrations.cvepro.tariff_api import TariffRoutes

    cloud, board, standing = Cloud(host), Board(host), Standing(host)
    polling = Polling(host, Reading(host, cloud), standing)
    importing = Importing(host, cloud, lambda: polling.is_well)
    return Offer(
        routes=(*Dashboard(host, board).routes(), *routes.all_of(host, importing), *TariffRoutes(host).routes()),
        pages=pages.all_of(host, board, importing),
        nav=pages.NAV,
        loops=(polling.loop(), standing.loop(), importing.loop()),
        health=(standing.health(),),
        metadata=metadata,
        stop=polling.stop,
    )
