"""A condominium with its chargers, and who charges when: all of it follows from a seed and the clock."""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Final

LOCAL: Final = timezone(timedelta(hours=-3))  # the vendor tells local times without a zone
CHARGERS: Final = 20
_FAST_EVERY: Final = 5
_NAMES: Final = ("Ana Souza", "Bruno Lima", "Carla Dias", "Davi Rocha", "Elisa Prado", "Fábio Nunes", "Gabi Alves")
_FIRST_ID: Final = 100_000
_FULL_IDLE_S: Final = 900


@dataclass(frozen=True, slots=True)
class Options:
    """`now` in seconds since the epoch. Without `email` and `password` any login is taken."""

    seed: int = 7
    chargers: int = CHARGERS
    api_key: str | None = None
    email: str | None = None
    password: str | None = None
    token_life_s: float = 24 * 3600.0
    log_limit: int | None = 10_000
    now: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True)
class Charger:
    number: int
    is_fast: bool

    @property
    def box_id(self) -> str:
        return f"CVE-{self.number:03d}"

    @property
    def uuid(self) -> str:
        return f"7f3c0000-0000-4000-8000-{self.number:012d}"

    @property
    def power_w(self) -> int:
        return 22_000 if self.is_fast else 7_400


@dataclass(frozen=True, slots=True)
class Session:
    """A transaction as it will have been; before its end the vendor doesn't tell how much."""

    id: int
    charger: Charger
    start: datetime
    stop: datetime
    resident: int
    energy_wh: int
    meter_wh: int

    def is_active(self, now: datetime) -> bool:
        return self.start <= now < self.stop


@lru_cache(maxsize=512)
def sessions_of(seed: int, chargers: int, day: date) -> tuple[Session, ...]:
    """All that begin on this local day, by start."""
    found = [
        session
        for number in range(1, chargers + 1)
        for session in _day_of(seed, Charger(number, number % _FAST_EVERY == 0), day)
    ]
    return tuple(sorted(found, key=lambda each: (each.start, each.id)))


def _day_of(seed: int, charger: Charger, day: date) -> Iterator[Session]:
    chance = random.Random(f"{seed}/{charger.number}/{day.isoformat()}")
    at = datetime.combine(day, datetime.min.time(), LOCAL) + timedelta(minutes=chance.randint(0, 300))
    first = _FIRST_ID + (day.toordinal() - 730_000) * 10_000 + charger.number * 10
    for n in range(chance.randint(1, 4)):
        length = timedelta(minutes=chance.randint(40, 240))
        if (at + length).astimezone(LOCAL).date() != day:
            return
        share = chance.uniform(0.35, 0.9)
        energy = int(charger.power_w * share * (length.total_seconds() - _FULL_IDLE_S) / 3600)
        meter = (day.toordinal() - 730_000) * 40_000 + n * 9_000
        yield Session(first + n, charger, at, at + length, chance.randint(1, 40), max(energy, 200), meter)
        at += length + timedelta(minutes=chance.randint(30, 300))


@dataclass(slots=True)
class Site:
    """`extra` are transactions put in by hand, as the vendor says them; one of an id takes the place of what was there."""

    options: Options
    offset_s: Callable[[], float] = lambda: 0.0
    extra: dict[Any, dict[str, Any]] = field(default_factory=dict)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.options.now() + self.offset_s(), UTC)

    def chargers(self) -> list[Charger]:
        return [Charger(number, number % _FAST_EVERY == 0) for number in range(1, self.options.chargers + 1)]

    def between(self, first: date, last: date) -> Iterator[Session]:
        """Sessions that have begun, by start."""
        now = self.now()
        for n in range((last - first).days + 1):
            for session in sessions_of(self.options.seed, self.options.chargers, first + timedelta(days=n)):
                if session.start <= now:
                    yield session

    def active(self) -> dict[str, Session]:
        """By charger."""
        today = self.now().astimezone(LOCAL).date()
        found = self.between(today - timedelta(days=1), today)
        return {each.charger.box_id: each for each in found if each.is_active(self.now())}


def resident_name(number: int) -> str:
    return f"{_NAMES[number % len(_NAMES)]} {number}"


def tag_of(number: int) -> str:
    return f"04A{number:05X}"
