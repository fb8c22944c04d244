"""What the engine gives to the hub."""

from typing import Final

from atalaia.core.translations import N_
from atalaia.sdk.integration import Host, Offer
from atalaia.sdk.signals import SignalTask

TASK: Final = "binance.auto_close"


def offer(host: Host) -> Offer:
    # Late: a worker finds this module too, and has no database.
    from atalaia.integrations.binance import pages, routes
    from atalaia.integrations.binance.desk import open_desk
    from atalaia.integrations.binance.exchange.client import open_exchange
    from atalaia.integrations.binance.insisting import insisting
    from atalaia.integrations.binance.run import AutoClose
    from atalaia.integrations.binance.tables import metadata

    exchange = open_exchange(host)
    desk = open_desk(host, exchange)
    task = SignalTask(
        name=TASK,
        title=N_("Closes operations whose result has reached its target"),
        run=AutoClose(host, exchange).run,
    )
    return Offer(
        routes=routes.all_of(desk),
        pages=pages.all_of(desk),
        nav=pages.NAV,
        signal_tasks=(task,),
        loops=(insisting(host),),
        metadata=metadata,
    )
