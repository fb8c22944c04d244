"""When a car is full: plugged in, and drawing next to nothing for a while. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

FULL_BELOW_W: Final = 10.0
FULL_AFTER_S: Final = 180.0

Powers = Iterable[tuple[datetime, float]]


def full_since(readings: Powers, until: datetime) -> datetime | None:
    """Since when it has been drawing under FULL_BELOW_W, where that is for FULL_AFTER_S at `until`, which is now or its end.

    `readings`: W, in any order; each holds until the next one, and those after `until` are left out. A car that pauses and goes on
    was not full.
    """
    since: datetime | None = None
    for at, power_w in sorted(reading for reading in readings if reading[0] <= until):
        if power_w >= FULL_BELOW_W:
            since = None
        elif since is None:
            since = at
    return since if since is not None and until - since >= timedelta(seconds=FULL_AFTER_S) else None


def idle_s(readings: Powers, until: datetime) -> float:
    """For how long it was full at `until`."""
    since = full_since(readings, until)
    return 0.0 if since is None else (until - since).total_seconds()
