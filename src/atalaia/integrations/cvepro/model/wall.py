"""Time as clocks on the wall of a zone show it, walked through tick by tick of the clock: an hour that comes twice comes twice. Pure.

A tick is a microsecond; ticks are counted from 1970, in UTC or by the clock on the wall.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

T = TypeVar("T")

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_MONDAY: Final = 4 * DAY  # 1970-01-05: the epoch was a Thursday
_STEP: Final = 12 * HOUR  # no zone changes its clocks and changes them back within it


def ticks(at: datetime) -> int:
    return (at - _EPOCH) // _TICK


def in_week(wall: int) -> int:
    """Ticks since Monday's midnight, of what the clock shows."""
    return (wall - _MONDAY) % WEEK


class Wall:
    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def pieces(self, since: int, until: int, part: Callable[[int], tuple[T, int]]) -> Iterator[tuple[T, int, int]]:
        """What holds from when to when: `part(wall)` says it for what the clock shows, and for how many ticks of the clock on."""
        at, offset = since, self._offset(since)
        while at < until:
            holds, left = part(at + offset)
            ends = min(at + left, at + _STEP, until)
            after = self._offset(ends)
            if after != offset:
                ends = self._change(at, ends, offset)
            yield holds, at, ends
            at, offset = ends, after

    def _offset(self, at: int) -> int:
        found = (_EPOCH + timedelta(microseconds=at)).astimezone(self._zone).utcoffset()
        return 0 if found is None else found // _TICK

    def _change(self, well: int, changed: int, offset: int) -> int:
        """The first tick with another offset."""
        while changed - well > 1:
            middle = (well + changed) // 2
            if self._offset(middle) == offset:
                well = middle
            else:
                changed = middle
        return changed
