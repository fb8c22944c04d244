"""The condominium as it is now: its chargers, who charges, and what was put in by hand."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from atalaia_simulators.cvepro.history import History, past_sessions, read_history
from atalaia_simulators.cvepro.sessions import Charger, Session
from atalaia_simulators.cvepro.traffic import LOCAL, charger_of, sessions_of

CHARGERS: Final = 20


@dataclass(frozen=True, slots=True)
class Options:
    """`now` in seconds since the epoch. Without `email` and `password` any login is taken. `history`: see history.read_history."""

    seed: int = 7
    chargers: int = CHARGERS
    api_key: str | None = None
    email: str | None = None
    password: str | None = None
    token_life_s: float = 24 * 3600.0
    log_limit: int | None = 10_000
    now: Callable[[], float] = time.time
    history: dict[str, Any] | None = None


@dataclass(slots=True)
class Site:
    """`extra` are transactions put in by hand, as the vendor says them; one of an id takes the place of what was there.

    `statuses`: what chargers say in place of what they would, by their ids, and since when.
    """

    options: Options
    offset_s: Callable[[], float] = lambda: 0.0
    extra: dict[Any, dict[str, Any]] = field(default_factory=dict)
    history: History | None = None
    statuses: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.set_history(self.options.history)

    def set_history(self, given: Any) -> None:
        """Raises: BadHistory."""
        self.history = read_history(given, today=self.today(), chargers=self.options.chargers)

    def set_statuses(self, given: Mapping[str, str | None]) -> None:
        """Of these; None is their own again."""
        for box_id, word in given.items():
            if word is None:
                self.statuses.pop(box_id, None)
            elif self.statuses.get(box_id, ("",))[0] != word:
                self.statuses[box_id] = (word, self.now())

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.options.now() + self.offset_s(), UTC)

    def today(self) -> date:
        return self.now().astimezone(LOCAL).date()

    def chargers(self) -> list[Charger]:
        return [charger_of(number) for number in range(1, self.options.chargers + 1)]

    def between(self, first: date, last: date) -> Iterator[Session]:
        """Sessions that have begun, by start."""
        now = self.now()
        last = min(last, self.today())
        for n in range((last - first).days + 1):
            for session in self._of_day(first + timedelta(days=n)):
                if session.start <= now:
                    yield session

    def active(self) -> dict[str, Session]:
        """By charger."""
        found = self.between(self.today() - timedelta(days=1), self.today())
        return {each.charger.box_id: each for each in found if each.is_active(self.now())}

    def _of_day(self, day: date) -> tuple[Session, ...]:
        if self.history is not None and self.history.holds(day):
            return past_sessions(self.history, self.options.chargers, day)
        return sessions_of(self.options.seed, self.options.chargers, day)
