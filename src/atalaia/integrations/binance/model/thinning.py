"""Which points of a result over time are kept: close together while they are new, further apart when they are old."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from atalaia.integrations.binance.model.operations import Point

APART: Final = timedelta(seconds=20)
MOST: Final = 720
NEWEST: Final = 360  # of these none is taken out


def is_due(last: Point | None, point: Point) -> bool:
    return last is None or (point.value != last.value and abs(point.at - last.at) >= APART)


def to_drop(points: Sequence[Point]) -> list[datetime]:
    """Every second of the older ones, once there are too many; the first always stays. `points` are oldest first."""
    if len(points) <= MOST:
        return []
    return [point.at for point in points[:-NEWEST][1::2]]
