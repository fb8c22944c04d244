"""Charge points that connect straight to us, and how they and the vendor's chargers are shown as one."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.chargers import Charger, Connector, Status

PROTOCOL: Final = "ocpp1.6"
# What may stand in an address unescaped, and in a header.
_BOX_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._*+=@|-]{0,47}\Z", re.ASCII)
_WHOLE: Final = 0  # the connector that stands for the whole charge point


class Admission(StrEnum):
    PENDING = "pending"
    ADMITTED = "admitted"
    REFUSED = "refused"


class Policy(StrEnum):
    """The setting `ocpp_admission`: what becomes of one that nobody knows."""

    CLOSED = "closed"
    ASK = "ask"
    OPEN = "open"


class Boot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a charge point says of itself when it starts."""

    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    meter_type: str | None = None
    meter_serial: str | None = None
    iccid: str | None = None
    imsi: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """`hub` has its connection; `seen_at` is its last message, as of at most a minute ago."""

    hub: str | None = None
    client: str | None = None
    connected_at: datetime | None = None
    alive_at: datetime | None = None
    seen_at: datetime | None = None
    refused: int = 0
    refused_at: datetime | None = None


class Station(msgspec.Struct, frozen=True, kw_only=True):
    box_id: str
    standing: Admission
    has_password: bool = False
    told: Boot = Boot()
    booted_at: datetime | None = None
    created_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    line: Line = Line()

    @property
    def is_connected(self) -> bool:
        return self.line.hub is not None

    @property
    def is_admitted(self) -> bool:
        return self.standing is Admission.ADMITTED


class PlugState(msgspec.Struct, frozen=True, kw_only=True):
    connector: int
    status: str | None = None
    error_code: str | None = None
    status_at: datetime | None = None
    power_w: float | None = None
    soc_percent: float | None = None
    measured_at: datetime | None = None


def read_box_id(text: str, field: str = "box_id") -> str:
    """Raises: InvalidField."""
    found = text.strip()
    if _BOX_ID.match(found) is None:
        raise InvalidField(field, N_("up to 48 letters, digits and . _ * + = @ | -, without blanks"))
    return found


def charger_of(station: Station, plugs: Iterable[PlugState]) -> Charger:
    """As the board shows it."""
    told = station.told
    found = sorted(plugs, key=lambda plug: plug.connector)
    return Charger(
        key=station.box_id,
        box_id=station.box_id,
        protocol=PROTOCOL,
        vendor=told.vendor,
        model=told.model,
        firmware=told.firmware,
        heartbeat_at=station.line.seen_at,
        connectors=tuple(_connector(plug) for plug in found if _is_shown(plug)),
        is_straight=True,
    )


def _is_shown(plug: PlugState) -> bool:
    """The whole is told of where it says more than its connectors do."""
    return plug.connector != _WHOLE or plug.status == Status.FAULTED


def _connector(plug: PlugState) -> Connector:
    return Connector(
        number=str(plug.connector),
        status=plug.status,
        status_at=plug.status_at,
        error_code=plug.error_code,
        soc_percent=plug.soc_percent,
        power_w=plug.power_w,
    )


def shown_once(vendors: Sequence[Charger], straight: Mapping[str, tuple[Charger, bool]]) -> list[Charger]:
    """The vendor's in their order, then those that it does not know; `straight`: by box id, with whether it is connected.

    One that is both is what it says itself while it is connected, and what the vendor says of it else.
    """
    found = []
    for each in vendors:
        own = straight.get(each.box_id or "")
        found.append(_joined(each, own[0]) if own is not None and own[1] else each)
    known = {each.box_id for each in vendors}
    return [*found, *(charger for box_id, (charger, _) in sorted(straight.items()) if box_id not in known)]


def _joined(vendors: Charger, own: Charger) -> Charger:
    """What it says itself, with what only the vendor knows: its name, place and power."""
    plugs = {each.number: each for each in vendors.connectors}
    said = {name: value for name in ("vendor", "model", "firmware") if (value := getattr(own, name)) is not None}
    return replace(
        vendors,
        **said,
        protocol=own.protocol,
        heartbeat_at=own.heartbeat_at,
        is_active=True,
        is_straight=True,
        connectors=tuple(_joined_plug(plugs.get(each.number), each) for each in own.connectors) or vendors.connectors,
    )


def _joined_plug(vendors: Connector | None, own: Connector) -> Connector:
    if vendors is None:
        return own
    kept = ("pk", "power_max_w", "type", "current", "speed")
    return replace(own, **{name: getattr(vendors, name) for name in kept})
