"""A close that was asked for, or has begun, goes on even where nobody signals any more: the hub then says "look now" itself."""

from typing import Final

from atalaia.core.permissions import SYSTEM
from atalaia.integrations.binance.queries import operations
from atalaia.integrations.binance.setup import TASK
from atalaia.sdk.contribution import Loop
from atalaia.sdk.integration import Host

PERIOD_S: Final = 2.0


def insisting(host: Host) -> Loop:
    async def insist() -> None:
        if await host.read(operations.are_closing):
            await host.look_now(TASK, by=SYSTEM)  # lock and throttle hold: where signals come, nothing more is run

    return Loop("binance_closes", PERIOD_S, insist)
