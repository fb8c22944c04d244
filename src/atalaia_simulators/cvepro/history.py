"""A big past: so many sessions over so many days, served as quickly as they are asked for; all of it follows from the seed."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from atalaia_simulators.cvepro.residents import residents_of, tags_of
from atalaia_simulators.cvepro.sessions import WARM_UP, Session
from atalaia_simulators.cvepro.traffic import LOCAL, charger_of, first_id, meter_at

_MOST_DAYS: Final = 3650
_MOST_A_CHARGER: Final = 90  # sessions a day
_FULL: Final = 0.7  # of the time that it is plugged in


class BadHistory(ValueError):
    """What can't be made a past of."""


@dataclass(frozen=True, slots=True)
class History:
    """`sessions` on the `days` before `end` (which is not one of them), spread evenly over days and chargers."""

    days: int
    sessions: int
    seed: int
    end: date

    @property
    def first(self) -> date:
        return self.end - timedelta(days=self.days)

    def holds(self, day: date) -> bool:
        return self.first <= day < self.end


def read_history(given: Any, *, today: date, chargers: int) -> History | None:
    """`{days, sessions, seed, end}`, as much of it as is given; None is no past. Raises: BadHistory."""
    if given is None:
        return None
    if not isinstance(given, Mapping) or not given.keys() <= {"days", "sessions", "seed", "end"}:
        raise BadHistory("a history is {days, sessions, seed, end}")
    days, sessions, seed = given.get("days", 365), given.get("sessions", 100_000), given.get("seed", 1)
    if not all(isinstance(each, int) and not isinstance(each, bool) for each in (days, sessions, seed)):
        raise BadHistory("days, sessions and seed are whole numbers")
    if not (0 < days <= _MOST_DAYS and 0 <= sessions <= days * chargers * _MOST_A_CHARGER):
        raise BadHistory(f"at most {_MOST_DAYS} days, and {_MOST_A_CHARGER} sessions a day and charger")
    try:
        end = date.fromisoformat(given["end"]) if "end" in given else today
    except (TypeError, ValueError) as error:
        raise BadHistory("end is a day as 2026-01-31") from error
    return History(days, sessions, seed, end)


@lru_cache(maxsize=64)
def past_sessions(history: History, chargers: int, day: date) -> tuple[Session, ...]:
    """All that begin on this local day, by start."""
    n = (day - history.first).days
    before, count = _share(history.sessions, n, history.days), _share(history.sessions, n + 1, history.days)
    chance = random.Random(f"{history.seed}/{day.isoformat()}")
    found: list[Session] = []
    for number in range(1, chargers + 1):
        own = _share(count - before, number, chargers) - _share(count - before, number - 1, chargers)
        found.extend(_of_charger(chance, number, day, own, residents=residents_of(chargers)))
    return tuple(sorted(found, key=lambda each: (each.start, each.id)))


def _share(whole: int, n: int, parts: int) -> int:
    return whole * n // parts


def _of_charger(chance: random.Random, number: int, day: date, count: int, *, residents: int) -> Iterator[Session]:
    """One after the other, each within its own piece of the day."""
    if not count:
        return
    charger, meter_wh = charger_of(number), meter_at(day)
    piece_s, midnight = 86_400 // count, datetime.combine(day, datetime.min.time(), LOCAL).astimezone(UTC)
    for n in range(count):
        resident = chance.randint(1, residents)
        start = midnight + timedelta(seconds=n * piece_s + chance.randint(0, piece_s // 4))
        stop = start + timedelta(seconds=chance.randint(piece_s // 3, piece_s // 3 * 2))
        full_at = start + WARM_UP + timedelta(seconds=int((stop - start).total_seconds() * chance.uniform(0.2, _FULL)))
        made = Session(
            id=first_id(day, number) + n,
            charger=charger,
            resident=resident,
            tag=chance.choice(tags_of(resident)),
            start=start,
            full_at=min(full_at, stop),
            stop=stop,
            power_w=chance.randint(3_000, charger.power_w),
            meter_wh=meter_wh,
            soc_percent=20.0,
            battery_wh=60_000,
            reason="EVDisconnected",
        )
        meter_wh += made.whole_wh
        yield made
