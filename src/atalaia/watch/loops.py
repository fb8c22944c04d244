"""Work that recurs: overdue heartbeats, checks without an agent, what is too old."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from atalaia.core.clock import Clock
from atalaia.core.settings import Settings
from atalaia.sdk.contribution import Loop
from atalaia.watch.service.heartbeats import Heartbeats
from atalaia.watch.service.upkeep import Upkeep

OVERDUE_PERIOD_S = 1.0
DEAF_S = 10.0  # without a look for so long, pings were perhaps turned away
PLACING_PERIOD_S = 2.0
RETENTION_PERIOD_S = 600.0


def watch_loops(heartbeats: Heartbeats, upkeep: Upkeep, *, settings: Settings, clock: Clock) -> Sequence[Loop]:
    return (
        Loop("heartbeats", OVERDUE_PERIOD_S, overdue(heartbeats, clock)),
        Loop("placing", PLACING_PERIOD_S, upkeep.place_orphans),
        Loop("watch-retention", RETENTION_PERIOD_S, retention(upkeep, settings=settings, clock=clock)),
    )


def overdue(heartbeats: Heartbeats, clock: Clock) -> Callable[[], Awaitable[None]]:
    """A look each second, and at a deadline within the second a look at that very moment.

    After a time without a look, as at a start or when the database is back, pings were turned away perhaps: who is overdue by then has
    another grace. Else every job that ran in a minute's outage would wake somebody.
    """
    looked_at_s = -math.inf

    async def run() -> None:
        nonlocal looked_at_s
        if clock.monotonic() - looked_at_s > DEAF_S:
            await heartbeats.forgive()
        left_s = await heartbeats.tick()
        if left_s is not None and left_s < OVERDUE_PERIOD_S:
            await asyncio.sleep(left_s)
            await heartbeats.tick()
        looked_at_s = clock.monotonic()

    return run


def retention(upkeep: Upkeep, *, settings: Settings, clock: Clock) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await upkeep.remove_before(clock.now() - timedelta(days=settings.get("watch.history_days")))

    return run
