"""What the engine gives to the hub."""

from typing import Final

from atalaia.core.translations import N_
from atalaia.sdk.integration import Host, Offer
from atalaia.sdk.signals import SignalTask

TASK: Final = "binance.auto_close"


def offer(host: Host) -> Offer:
    # Late: a worker finds this module too, and has no database.
    from atalaia.integrations.binance.exchange.client import open_exchange
    from atalaia.integrations.binance.run import AutoClose
    from atalaia.integrations.binance.tables import metadata

    engine = AutoClose(host, open_exchange(host))
    task = SignalTask(name=TASK, title=N_("Closes operations whose result has reached its target"), run=engine.run)
    return Offer(signal_tasks=(task,), metadata=metadata)
