"""Whether a car that is plugged in still takes anything: under 10 W for 3 min counts as full."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from atalaia.integrations.cvepro.model.meters import Reading, powers

LEAST_W: Final = 10.0
FULL_AFTER: Final = timedelta(minutes=3)
LOOK_BACK: Final = timedelta(minutes=15)  # charge points that tell seldom do so at least this often


def seconds_of(readings: Sequence[Reading], *, until: datetime) -> float | None:
    """Of all spans that were long enough; None where no power was told."""
    told = powers(readings)
    if not told:
        return None
    return sum((end - start).total_seconds() for start, end in _spans(told, until) if end - start >= FULL_AFTER)


def full_since(readings: Sequence[Reading]) -> datetime | None:
    """Since when the last span goes, where it is long enough by the last reading."""
    told = powers(readings)
    if not told or told[-1][1] >= LEAST_W:
        return None
    start, end = _spans(told, told[-1][0])[-1]
    return start if end - start >= FULL_AFTER else None


def _spans(told: Sequence[tuple[datetime, float]], until: datetime) -> list[tuple[datetime, datetime]]:
    """In which less was taken: what is told at a time holds until the next."""
    found: list[tuple[datetime, datetime]] = []
    start: datetime | None = None
    for at, power_w in told:
        if power_w < LEAST_W:
            start = start if start is not None else at
        elif start is not None:
            found.append((start, at))
            start = None
    if start is not None:
        found.append((start, max(start, until)))
    return found
