"""What a charge point keeps over its connections: its meter, the car at its plug, what it has not been able to tell yet."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ocpp.v16 import call

_LEAST_W = 0.0
_S_PER_H = 3600


class Phase(StrEnum):
    """The words of StatusNotification."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    FULL = "SuspendedEV"
    FINISHING = "Finishing"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`scale`: how many seconds of charging go by in one. Spans are in seconds of the simulation."""

    url: str  # the hub's, or the whole address but for the id
    box_id: str
    password: str | None = None
    tag: str = "04A21B3C"
    power_w: float = 7400.0
    need_wh: float = 12_000.0
    meter_s: float = 60.0
    full_s: float = 900.0  # for so long the car stays plugged in when it is full
    pause_s: float = 1800.0  # between two cars
    scale: float = 1.0
    vendor: str = "Atalaia"
    model: str = "Simulated 7k4"
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(slots=True)
class Transaction:
    tag: str
    started_wh: int
    number: int | None = None  # as the hub calls it; not before it has answered


@dataclass(slots=True)
class Life:
    options: Options
    meter_wh: float = 100_000.0
    phase: Phase = Phase.AVAILABLE
    phase_s: float = 0.0  # since it began
    car_wh: float = 0.0
    running: Transaction | None = None
    untold: deque[tuple[Any, Transaction]] = field(default_factory=deque)
    wishes: deque[tuple[str, str]] = field(default_factory=deque)  # of the hub: (start, tag) or (stop, why)

    @property
    def power_w(self) -> float:
        return self.options.power_w if self.phase is Phase.CHARGING else _LEAST_W

    def go_on(self, seconds: float) -> bool:
        """Let time go by; whether the phase has changed."""
        before = self.phase
        self.phase_s += seconds
        wish = self.wishes.popleft() if self.wishes else None
        if self.phase is Phase.CHARGING:
            took = min(self.power_w * seconds / _S_PER_H, self.options.need_wh - self.car_wh)
            self.meter_wh += took
            self.car_wh += took
        self._next(wish)
        return self.phase is not before

    def _next(self, wish: tuple[str, str] | None) -> None:
        what, word = wish or ("", "")
        match self.phase:
            case Phase.AVAILABLE if what == "start" or self.phase_s >= self.options.pause_s:
                self._turn(Phase.PREPARING)
                self.wishes.appendleft(("start", word or self.options.tag))
            case Phase.PREPARING if what == "start":
                self._begin(word)
            case Phase.CHARGING | Phase.FULL if what == "stop":
                self._end(word)
            case Phase.CHARGING if self.car_wh >= self.options.need_wh:
                self._turn(Phase.FULL)
            case Phase.FULL if self.phase_s >= self.options.full_s:
                self._end("EVDisconnected")
            case Phase.FINISHING:
                self._turn(Phase.AVAILABLE)

    def _turn(self, phase: Phase) -> None:
        self.phase, self.phase_s = phase, 0.0

    def _begin(self, tag: str) -> None:
        self.car_wh = 0.0
        self.running = Transaction(tag=tag, started_wh=int(self.meter_wh))
        told = call.StartTransaction(
            connector_id=1, id_tag=tag, meter_start=self.running.started_wh, timestamp=self.stamp()
        )
        self.untold.append((told, self.running))
        self._turn(Phase.CHARGING)

    def _end(self, reason: str) -> None:
        if self.running is not None:
            told = call.StopTransaction(
                transaction_id=0, meter_stop=int(self.meter_wh), timestamp=self.stamp(), reason=reason
            )
            self.untold.append((told, self.running))
            self.running = None
        self._turn(Phase.FINISHING)

    def stop(self, reason: str) -> None:
        """At once, as it is switched off or its plug is unlocked."""
        if self.phase in {Phase.CHARGING, Phase.FULL}:
            self._end(reason)

    def refused(self, transaction: Transaction) -> None:
        """The hub does not know the tag."""
        if self.running is transaction:
            self._end("DeAuthorized")

    def stamp(self) -> str:
        return self.options.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
