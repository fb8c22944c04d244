"""Chargers in our words."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec


class Status(StrEnum):
    """OCPP 1.6, and `Occupied`; the vendor may say others, which are shown as they are."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EVSE = "SuspendedEVSE"
    SUSPENDED_EV = "SuspendedEV"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"
    OCCUPIED = "Occupied"


KNOWN: Final = frozenset(str(each) for each in Status)


class Connector(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`power_max_w` in W; `soc_percent` of the car's battery; `total_duration_s` of the session that is under way."""

    pk: str | None = None
    number: str | None = None
    power_max_w: float | None = None
    type: str | None = None
    current: str | None = None
    speed: str | None = None
    status: str | None = None
    status_at: datetime | None = None
    error_code: str | None = None
    soc_percent: float | None = None
    user_name: str | None = None
    total_duration_s: float | None = None
    power_w: float | None = None  # now


class Charger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`key` stays the same while the vendor names the charger by any of its three ids."""

    key: str
    pk: str | None = None
    box_id: str | None = None
    uuid: str | None = None
    description: str | None = None
    protocol: str | None = None
    vendor: str | None = None
    model: str | None = None
    firmware: str | None = None
    heartbeat_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    address: str | None = None
    is_active: bool | None = None
    connectors: tuple[Connector, ...] = ()
    is_straight: bool = False  # it is connected to us, or nobody else tells of it

    @property
    def name(self) -> str:
        return self.description or self.box_id or self.uuid or self.key

    @property
    def status(self) -> str | None:
        """Of the whole: the worst, then the busiest of its connectors."""
        said = [each.status for each in self.connectors if each.status]
        return min(said, key=lambda word: RANK.get(word, len(RANK)), default=None)

    @property
    def power_max_w(self) -> float | None:
        return max((each.power_max_w for each in self.connectors if each.power_max_w is not None), default=None)

    @property
    def is_faulted(self) -> bool:
        return any(each.status == Status.FAULTED for each in self.connectors)

    def is_silent(self, *, now: datetime, limit_s: float) -> bool:
        """One that never sent a heartbeat is not known to be silent; one that was taken out of use may be."""
        if self.heartbeat_at is None or self.is_active is False:
            return False
        return now - self.heartbeat_at > timedelta(seconds=limit_s)


_ORDER: Final = (
    Status.FAULTED,
    Status.CHARGING,
    Status.SUSPENDED_EV,
    Status.SUSPENDED_EVSE,
    Status.PREPARING,
    Status.FINISHING,
    Status.OCCUPIED,
    Status.RESERVED,
    Status.AVAILABLE,
    Status.UNAVAILABLE,
)
RANK: Final = {str(each): n for n, each in enumerate(_ORDER)}


def recognised(found: Iterable[Charger], kept: Iterable[Charger]) -> list[Charger]:
    """Each once, under the key that it is kept under, by whichever of its ids is still told; keys are unique."""
    keys: dict[tuple[str, str], str] = {}
    for charger in kept:
        for name, value in _ids(charger):
            keys.setdefault((name, value), charger.key)
    taken: set[str] = set()
    named: list[Charger] = []
    for charger in _once(found):
        known = next((keys[each] for each in _ids(charger) if each in keys), charger.key)
        key, n = known, 2
        while key in taken:
            key, n = f"{known}~{n}", n + 1
        taken.add(key)
        named.append(msgspec.structs.replace(charger, key=key))
    return named


def _once(found: Iterable[Charger]) -> Iterable[Charger]:
    """The last word on it, where it was first told of."""
    told: dict[object, Charger] = {}
    for place, charger in enumerate(found):
        told[tuple(_ids(charger)) or place] = charger
    return told.values()


def _ids(charger: Charger) -> list[tuple[str, str]]:
    found = (("box_id", charger.box_id), ("uuid", charger.uuid), ("pk", charger.pk))
    return [(name, value) for name, value in found if value]
