"""How much of the time connectors were in use, by hour of the day and of the week, as clocks on the wall show it. Pure, exact.

A connector is in use while a session has it, charging or not. What overlaps at one connector counts once.
"""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from atalaia.integrations.cvepro.model.wall import HOUR, Wall, in_week, ticks

HOURS: Final = 24
DAYS: Final = 7
_SECOND: Final = 1_000_000

Use = tuple[Hashable, datetime, datetime]  # connector, from, until


class Slot(msgspec.Struct, frozen=True):
    """Seconds that connectors were in use, of those that they were there."""

    in_use_s: float = 0.0
    connector_s: float = 0.0

    @property
    def share(self) -> float | None:
        """0..1; None: this hour was not in the span."""
        return self.in_use_s / self.connector_s if self.connector_s else None


class Occupancy(msgspec.Struct, frozen=True, kw_only=True):
    """`weekdays[0][18]`: Mondays from 18:00 to 19:00."""

    connectors: int
    weekdays: tuple[tuple[Slot, ...], ...]

    @property
    def hours(self) -> tuple[Slot, ...]:
        """Of all days."""
        return tuple(_sum(day[hour] for day in self.weekdays) for hour in range(HOURS))

    @property
    def whole(self) -> Slot:
        return _sum(slot for day in self.weekdays for slot in day)


def occupancy(uses: Iterable[Use], since: datetime, until: datetime, *, connectors: int, zone: ZoneInfo) -> Occupancy:
    """From `since` until before `until`. More connectors in use than there are now were there too."""
    first, last = ticks(since), ticks(until)
    busy = _merged(uses, first, last)
    connectors = max(connectors, len(busy))
    begins: list[int] = []
    slots: list[int] = []
    lasts = [0] * (DAYS * HOURS)
    used = [0] * (DAYS * HOURS)
    for slot, at, ends in Wall(zone).pieces(first, last, _hour):
        begins.append(at)
        slots.append(slot)
        lasts[slot] += ends - at
    for spans in busy.values():
        for at, ends in spans:
            _spread(at, ends, begins, slots, used)
    made = [
        Slot(used[slot] / _SECOND, lasts[slot] * connectors / _SECOND) if lasts[slot] else Slot()
        for slot in range(DAYS * HOURS)
    ]
    weekdays = tuple(tuple(made[day * HOURS : (day + 1) * HOURS]) for day in range(DAYS))
    return Occupancy(connectors=connectors, weekdays=weekdays)


def _hour(wall: int) -> tuple[int, int]:
    """The hour of the week, and how much of it is left."""
    now = in_week(wall)
    return now // HOUR, HOUR - now % HOUR


def _merged(uses: Iterable[Use], first: int, last: int) -> Mapping[Hashable, Sequence[tuple[int, int]]]:
    """By connector, within the span, without overlaps."""
    found: dict[Hashable, list[tuple[int, int]]] = {}
    for connector, since, until in uses:
        at, ends = max(first, ticks(since)), min(last, ticks(until))
        if at < ends:
            found.setdefault(connector, []).append((at, ends))
    return {connector: _united(sorted(spans)) for connector, spans in found.items()}


def _united(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    united: list[tuple[int, int]] = []
    for at, ends in spans:
        if united and at <= united[-1][1]:
            united[-1] = (united[-1][0], max(ends, united[-1][1]))
        else:
            united.append((at, ends))
    return united


def _spread(at: int, ends: int, begins: Sequence[int], slots: Sequence[int], used: list[int]) -> None:
    index = bisect_right(begins, at) - 1
    while at < ends:
        until = min(ends, begins[index + 1]) if index + 1 < len(begins) else ends
        used[slots[index]] += until - at
        at, index = until, index + 1


def _sum(slots: Iterable[Slot]) -> Slot:
    found = list(slots)
    return Slot(sum(slot.in_use_s for slot in found), sum(slot.connector_s for slot in found))
