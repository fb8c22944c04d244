"""Charging sessions in our words; what a later reading of one makes of it; which figures are doubtful."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from atalaia.core.translations import N_

_SLACK: Final = 1.25  # a charger gives somewhat more than its plate says, and clocks differ
_IDLE_SLACK_S: Final = 60.0
_LEAST_MWH: Final = 100_000  # of less nobody can tell whether it was Wh or kWh
_KWH: Final = 1000
_TOLERANCE: Final = 0.02


class Doubt(StrEnum):
    """Why a figure is marked. It is shown all the same, and never put right by guessing."""

    TOO_MUCH = "too_much"  # more than the charger can give in that time
    METER_DIFFERS = "meter_differs"  # energy is not what the meter went on by
    UNIT = "unit"  # the meter went on by a thousand times more, or less: one of the two is in kWh
    SHRANK = "shrank"  # the vendor said more before; the larger figure is kept
    BACKWARDS = "backwards"  # it ends before it begins
    IDLE = "idle"  # for longer than it lasted: it may be in minutes or milliseconds
    TOLD_TWO_WAYS = "told_two_ways"  # the vendor's cloud and the charger itself say different energies


# Not found in the session itself.
_LASTING: Final = frozenset({Doubt.SHRANK, Doubt.TOLD_TWO_WAYS})

DOUBTS: Final = {
    str(Doubt.TOO_MUCH): N_("More energy than this charger can give in that time"),
    str(Doubt.METER_DIFFERS): N_("The energy is not what the meter went on by"),
    str(Doubt.UNIT): N_("Energy and meter differ by a thousand: one of them may be in kWh"),
    str(Doubt.SHRANK): N_("The vendor now says less than before; the larger figure is kept"),
    str(Doubt.BACKWARDS): N_("It ends before it begins"),
    str(Doubt.IDLE): N_("It was idle for longer than it lasted"),
    str(Doubt.TOLD_TWO_WAYS): N_("The vendor's cloud and the charger itself say different energies"),
}


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Energy and meter in thousandths of a Wh, cost in millionths of the currency, so that sums are exact.

    `same_as`: the one that counts in its place; `apart_by`: who said that it is by itself. See model.twins.
    """

    id: str
    box_id: str | None = None
    charger_uuid: str | None = None
    connector: str | None = None
    tag: str | None = None
    tag_pk: str | None = None
    user_name: str | None = None
    flat: str | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    duration_s: float | None = None
    energy_mwh: int | None = None
    start_mwh: int | None = None
    stop_mwh: int | None = None
    cost_micros: int | None = None
    idle_s: float | None = None
    stop_reason: str | None = None
    stop_actor: str | None = None
    same_as: str | None = None
    apart_by: str | None = None
    doubts: tuple[str, ...] = ()

    @property
    def is_active(self) -> bool:
        return self.stopped_at is None

    @property
    def so_far_mwh(self) -> int | None:
        """Told at the end, or by the meter on the way."""
        if self.energy_mwh is not None:
            return self.energy_mwh
        if self.start_mwh is None or self.stop_mwh is None:
            return None
        return max(0, self.stop_mwh - self.start_mwh)


_FIELDS: Final = tuple(name for name in Session.__struct_fields__ if name not in {"id", "doubts"})


def merged(kept: Session | None, told: Session, *, power_w: float | None) -> Session:
    """What is not told any more stays; an energy that grew is taken, one that shrank is marked."""
    if kept is None:
        return judged(told, power_w=power_w)
    news: dict[str, Any] = {name: value for name in _FIELDS if (value := getattr(told, name)) is not None}
    doubts = set(kept.doubts) & _LASTING
    if kept.energy_mwh is not None and told.energy_mwh is not None and told.energy_mwh < kept.energy_mwh:
        doubts.add(Doubt.SHRANK)
        # What belongs to the smaller figure goes with it.
        for name in ("energy_mwh", "stop_mwh", "cost_micros"):
            news.pop(name, None)
    elif told.energy_mwh is not None:
        doubts.discard(Doubt.SHRANK)
    return judged(replace(kept, **news, doubts=tuple(sorted(doubts))), power_w=power_w)


def judged(session: Session, *, power_w: float | None) -> Session:
    """With its doubts: units are checked against power and time."""
    doubts = {each for each in session.doubts if each in _LASTING}
    if session.started_at and session.stopped_at and session.stopped_at < session.started_at:
        doubts.add(Doubt.BACKWARDS)
    elif _is_too_much(session, power_w):
        doubts.add(Doubt.TOO_MUCH)
    if _is_idle_for_too_long(session):
        doubts.add(Doubt.IDLE)
    if doubt := _meter_doubt(session):
        doubts.add(doubt)
    return replace(session, doubts=tuple(sorted(str(each) for each in doubts)))


def _is_too_much(session: Session, power_w: float | None) -> bool:
    energy, started, stopped = session.energy_mwh, session.started_at, session.stopped_at
    if energy is None or started is None or stopped is None or not power_w:
        return False
    return energy / 1000 > power_w * (stopped - started).total_seconds() / 3600 * _SLACK + 1


def _is_idle_for_too_long(session: Session) -> bool:
    idle_s, started, stopped = session.idle_s, session.started_at, session.stopped_at
    if idle_s is None or started is None or stopped is None:
        return False
    return idle_s > max(0.0, (stopped - started).total_seconds()) + _IDLE_SLACK_S


def _meter_doubt(session: Session) -> Doubt | None:
    if session.energy_mwh is None or session.start_mwh is None or session.stop_mwh is None:
        return None
    energy, meter = session.energy_mwh, session.stop_mwh - session.start_mwh
    if not is_apart_from(energy, meter):
        return None
    for small, large in ((energy, meter), (meter, energy)):
        if large >= _LEAST_MWH and abs(small * _KWH - large) <= _TOLERANCE * large:
            return Doubt.UNIT
    return Doubt.METER_DIFFERS


def is_apart_from(energy: int, other: int) -> bool:
    """More than figures of two meters differ."""
    return abs(energy - other) > max(_TOLERANCE * energy, 1000)
