"""Meter values of OCPP 1.6 in our units."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec

from atalaia.integrations.cvepro.model.fields import read_instant, read_number

_ENERGY: Final = "Energy.Active.Import.Register"
_POWER: Final = "Power.Active.Import"
_SOC: Final = "SoC"
_MWH: Final = {"Wh": 1000, "kWh": 1_000_000}
_W: Final = {"W": 1, "kW": 1000}
_PHASES: Final = frozenset({"L1", "L2", "L3", "L1-N", "L2-N", "L3-N"})
_MOST_MWH: Final = 10**15
_MS_PER_H: Final = 3_600_000
# Clocks of charge points that were never set say 1970, 2000 or when they were made; none is offline for a year and tells of it
# then. Those that run ahead are trusted for a day.
_BEHIND: Final = timedelta(days=366)
_AHEAD: Final = timedelta(days=1)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """`energy_mwh` is the meter's register, in thousandths of a Wh: it only goes on."""

    at: datetime
    energy_mwh: int | None = None
    power_w: float | None = None
    soc_percent: float | None = None

    @property
    def says_anything(self) -> bool:
        return self.energy_mwh is not None or self.power_w is not None or self.soc_percent is not None

    def joined(self, other: "Reading") -> "Reading":
        """Of one instant: what is not told here is taken from the other."""
        names = (name for name in Reading.__struct_fields__ if getattr(self, name) is None)
        return msgspec.structs.replace(self, **{name: getattr(other, name) for name in names})


def told_at(text: str | None, *, now: datetime) -> datetime:
    """A charge point's time, unless its clock can't be right: then ours."""
    found = read_instant(text, zone=UTC) if text else None
    return found if found is not None and now - _BEHIND <= found <= now + _AHEAD else now


def read_meter_values(told: Sequence[Mapping[str, Any]], *, now: datetime) -> list[Reading]:
    """As the library gives them: `[{timestamp, sampled_value: [{value, measurand, unit, phase, …}]}]`, by time."""
    found: dict[datetime, Reading] = {}
    for each in told:
        reading = _reading(each, now)
        if reading.says_anything:
            before = found.get(reading.at)
            found[reading.at] = reading if before is None else reading.joined(before)
    return sorted(found.values(), key=lambda reading: reading.at)


def _reading(told: Mapping[str, Any], now: datetime) -> Reading:
    samples = [each for each in told.get("sampled_value", ()) if each.get("format") != "SignedData"]
    energy = _value(samples, _ENERGY, _MWH, default_unit="Wh")
    power = _value(samples, _POWER, _W, default_unit="W")
    soc = _value(samples, _SOC, {"Percent": 1}, default_unit="Percent")
    return Reading(
        at=told_at(told.get("timestamp"), now=now),
        energy_mwh=int(energy) if energy is not None and 0 <= energy < _MOST_MWH else None,
        power_w=float(power) if power is not None else None,
        soc_percent=float(soc) if soc is not None and 0 <= soc <= 100 else None,  # noqa: PLR2004 - per cent
    )


def _value(
    samples: Iterable[Mapping[str, Any]], measurand: str, factors: Mapping[str, int], *, default_unit: str
) -> Decimal | None:
    """Of the whole where it is told, else the sum of the phases."""
    phases: dict[str, Decimal] = {}
    for each in samples:
        if each.get("measurand", _ENERGY) != measurand or each.get("location", "Outlet") not in {"Outlet", "EV"}:
            continue
        factor, number = factors.get(each.get("unit", default_unit)), read_number(each.get("value"))
        if factor is None or number is None:
            continue
        phase = each.get("phase")
        if phase is None:
            return number * factor
        if phase in _PHASES:
            phases[phase[:2]] = number * factor
    return sum(phases.values(), Decimal(0)) if phases else None


def powers(readings: Sequence[Reading]) -> list[tuple[datetime, float]]:
    """W at each time: as told, or what the register went on by since the reading before."""
    found: list[tuple[datetime, float]] = []
    before: Reading | None = None
    for each in readings:
        if each.power_w is not None:
            found.append((each.at, each.power_w))
        elif (took := _taken(before, each)) is not None and before is not None:
            ms = (each.at - before.at) / timedelta(milliseconds=1)
            found.append((each.at, took / 1000 * _MS_PER_H / ms))
        if each.energy_mwh is not None:
            before = each
    return found


def _taken(before: Reading | None, each: Reading) -> int | None:
    """None where it is not told; of a register that began anew nobody knows."""
    if before is None or before.energy_mwh is None or each.energy_mwh is None or each.energy_mwh < before.energy_mwh:
        return None
    return each.energy_mwh - before.energy_mwh
