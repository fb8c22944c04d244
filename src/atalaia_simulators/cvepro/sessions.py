"""A charging session as it will have been: how much, how long and how full follow from power and time."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WARM_UP: Final = timedelta(seconds=40)  # plugged in, and nothing flows yet
_HOUR_S: Final = 3600
_TO_BATTERY: Final = 0.92
_MILLI_CENTS_PER_WH: Final = 95  # R$ 0.95 a kWh


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`full_at`: from then on nothing flows, until the car is unplugged at `stop`. No `resident`: a visitor."""

    id: int
    charger: Charger
    resident: int | None
    tag: str
    start: datetime
    full_at: datetime
    stop: datetime
    power_w: int
    meter_wh: int
    soc_percent: float  # at the start
    battery_wh: int
    reason: str

    def is_active(self, now: datetime) -> bool:
        return self.start <= now < self.stop

    def energy_wh(self, at: datetime) -> int:
        flowing_s = (min(at, self.full_at, self.stop) - self.start - WARM_UP).total_seconds()
        return int(self.power_w * max(0.0, flowing_s) / _HOUR_S)

    def soc_at(self, at: datetime) -> int:
        return min(100, int(self.soc_percent + 100 * _TO_BATTERY * self.energy_wh(at) / self.battery_wh))

    @property
    def whole_wh(self) -> int:
        return self.energy_wh(self.stop)

    @property
    def idle_s(self) -> int:
        return max(0, int((self.stop - self.full_at).total_seconds()))

    @property
    def cost_cents(self) -> int:
        return cents_for(self.whole_wh)


def cents_for(energy_wh: int) -> int:
    """Rounded half up."""
    return (energy_wh * _MILLI_CENTS_PER_WH + 500) // 1000
