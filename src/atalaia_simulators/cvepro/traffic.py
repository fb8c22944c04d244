"""A day's traffic of a condominium: most come home in the evening, some at noon; all of it follows from a seed and the day."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final

from atalaia_simulators.cvepro.residents import residents_of, tags_of, visitor_tag
from atalaia_simulators.cvepro.sessions import WARM_UP, Charger, Session

LOCAL: Final = timezone(timedelta(hours=-3))  # the vendor tells local times without a zone
_FAST_EVERY: Final = 5
_FIRST_DAY: Final = date(2020, 1, 1).toordinal()
_IDS_A_DAY: Final = 100_000
_IDS_A_CHARGER: Final = 100
_METER_A_DAY_WH: Final = 600_000  # more than any charger gives in a day, so that meters never go back
# Who comes on a day has gone by this hour of the next morning, so that each day stands for itself.
_FIRST_HOUR: Final = 5.5
_LAST_HOUR: Final = 23.4
_GONE_BY_HOURS: Final = (24 + 3.5, 24 + 5.3)
_COMES: Final = 0.75
_VISITOR: Final = 0.04
_LEAVES_EARLY: Final = 0.15
_IS_CUT: Final = 0.03
_STAYS_THE_NIGHT: Final = 0.3
_LATE_H: Final = 20.0
_CARS: Final = ((3_680, 26_000), (7_400, 44_900), (6_600, 40_000), (11_000, 60_480), (11_000, 77_000), (22_000, 52_000))
_SHARE: Final = 0.97  # of the plate
_REASONS: Final = ("EVDisconnected", "EVDisconnected", "EVDisconnected", "Local", "Remote")


def charger_of(number: int) -> Charger:
    return Charger(number, number % _FAST_EVERY == 0)


def first_id(day: date, charger: int) -> int:
    return (day.toordinal() - _FIRST_DAY) * _IDS_A_DAY + charger * _IDS_A_CHARGER


def meter_at(day: date) -> int:
    return (day.toordinal() - _FIRST_DAY) * _METER_A_DAY_WH


@lru_cache(maxsize=512)
def sessions_of(seed: int, chargers: int, day: date) -> tuple[Session, ...]:
    """All that begin on this local day, by start."""
    return tuple(sorted(_day_of(seed, chargers, day), key=lambda each: (each.start, each.id)))


def _day_of(seed: int, chargers: int, day: date) -> Iterator[Session]:
    chance = random.Random(f"{seed}/{chargers}/{day.isoformat()}")
    free_h = dict.fromkeys(range(1, chargers + 1), 0.0)
    counts = dict.fromkeys(free_h, 0)
    meters = dict.fromkeys(free_h, meter_at(day))
    for hour, resident in sorted(_arrivals(chance, residents_of(chargers))):
        place = _place(chance, free_h, hour, resident)
        if place is None:  # all are taken: this one goes home without
            continue
        id_ = first_id(day, place) + counts[place]
        made = _session(chance, id_, charger_of(place), day=day, hour=hour, resident=resident, meter_wh=meters[place])
        free_h[place] = (made.stop - _midnight(day)).total_seconds() / 3600 + 0.1
        counts[place] += 1
        meters[place] += made.whole_wh
        yield made


def _arrivals(chance: random.Random, residents: int) -> Iterator[tuple[float, int]]:
    for resident in range(1, residents + 1):
        if resident > 1 and chance.random() >= _COMES:  # the first one drives every day
            continue
        kind = chance.random()
        hour = chance.uniform(6, 22)
        if kind < 0.55:  # noqa: PLR2004 - most come home from work
            hour = chance.gauss(19.2, 1.5)
        elif kind < 0.8:  # noqa: PLR2004 - some at noon
            hour = chance.gauss(11.8, 1.6)
        yield min(max(hour, _FIRST_HOUR), _LAST_HOUR), resident


def _place(chance: random.Random, free_h: dict[int, float], hour: float, resident: int) -> int | None:
    """The own bay where it is free, else any."""
    own = (resident - 1) % len(free_h) + 1
    if free_h[own] <= hour:
        return own
    return chance.choice([number for number, at in free_h.items() if at <= hour] or [None])


def _session(
    chance: random.Random, id_: int, charger: Charger, *, day: date, hour: float, resident: int, meter_wh: int
) -> Session:
    car_w, battery_wh = _CARS[resident % len(_CARS)]
    power_w = int(min(car_w, charger.power_w) * _SHARE)
    start = _midnight(day) + timedelta(seconds=int(hour * 3600))
    last = _midnight(day) + timedelta(seconds=int(chance.uniform(*_GONE_BY_HOURS) * 3600))
    soc = chance.uniform(15, 70)
    wanted_wh = battery_wh * (chance.choice((80, 90, 100)) - soc) / 100 / 0.92
    full_at = min(start + WARM_UP + timedelta(seconds=int(wanted_wh / power_w * 3600)), last)
    stop, reason = min(full_at + _idle(chance, hour), last), chance.choice(_REASONS)
    if (kind := chance.random()) < _LEAVES_EARLY + _IS_CUT:
        stop = start + WARM_UP + (full_at - start - WARM_UP) * chance.uniform(0.3, 0.9)
        stop = full_at = stop.replace(microsecond=0)
        reason = "PowerLoss" if kind < _IS_CUT else reason
    is_visitor = chance.random() < _VISITOR
    return Session(
        id=id_,
        charger=charger,
        resident=None if is_visitor else resident,
        tag=visitor_tag(id_ % 5 + 1) if is_visitor else chance.choice(tags_of(resident)),
        start=start,
        full_at=full_at,
        stop=stop,
        power_w=power_w,
        meter_wh=meter_wh,
        soc_percent=soc,
        battery_wh=battery_wh,
        reason=reason,
    )


def _idle(chance: random.Random, hour: float) -> timedelta:
    """A car that is full stays a while, and one of the evening perhaps until the morning."""
    if hour > _LATE_H and chance.random() < _STAYS_THE_NIGHT:
        return timedelta(hours=12)
    return timedelta(seconds=int(min(chance.expovariate(1 / 1500), 5 * 3600)) + 60)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), LOCAL)
