"""Whether a car that is plugged in still takes anything, by what its charge point measures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from atalaia.integrations.cvepro.model import idle
from atalaia.integrations.cvepro.model.meters import Reading, powers

LOOK_BACK: Final = timedelta(minutes=15)  # charge points that tell seldom do so at least this often


def seconds_of(readings: Sequence[Reading], *, until: datetime) -> float | None:
    """Of all spans that were long enough; None where no power was told."""
    return idle.idle_s(powers(readings), until)


def full_since(readings: Sequence[Reading]) -> datetime | None:
    """Since when the last span goes, where it is long enough by the last reading."""
    told = powers(readings)
    return idle.full_since(told, told[-1][0]) if told else None
