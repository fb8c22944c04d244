"""When a car is full: plugged in, and drawing next to nothing for a while. Pure.

Powers are (at, W) by time; each holds until the next one.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

FULL_BELOW_W: Final = 10.0
FULL_AFTER: Final = timedelta(minutes=3)

Powers = Sequence[tuple[datetime, float]]


def full_since(powers: Powers, until: datetime) -> datetime | None:
    """Since when it has been full at `until`, which is now or its end; what is told of later is left out."""
    since: datetime | None = None
    for at, power_w in reversed(powers):
        if at <= until:
            if power_w >= FULL_BELOW_W:
                break
            since = at
    return since if since is not None and until - since >= FULL_AFTER else None


def idle_s(powers: Powers, until: datetime) -> float | None:
    """How long it was full until then, all times together; None where no power was told."""
    if not powers:
        return None
    return sum((end - start).total_seconds() for start, end in _spans(powers, until) if end - start >= FULL_AFTER)


def _spans(powers: Powers, until: datetime) -> list[tuple[datetime, datetime]]:
    """In which less was drawn."""
    found: list[tuple[datetime, datetime]] = []
    start: datetime | None = None
    for at, power_w in powers:
        if at > until:
            break
        if power_w < FULL_BELOW_W:
            start = start if start is not None else at
        elif start is not None:
            found.append((start, at))
            start = None
    if start is not None:
        found.append((start, until))
    return found
