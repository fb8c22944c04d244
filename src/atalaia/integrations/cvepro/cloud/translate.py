"""The vendor's words into ours: pure, and never raises, whatever an item holds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta, timezone, tzinfo
from typing import Any, Final, TypeVar

from atalaia.integrations.cvepro.model.chargers import KNOWN, Charger, Connector
from atalaia.integrations.cvepro.model.fields import Item, Notes
from atalaia.integrations.cvepro.model.sessions import Session

N = TypeVar("N", int, float)

CHARGERS: Final = "chargePointList"
SESSIONS: Final = "list"
# Where a path of the sessions' list is told, so that it is not taken for one of the chargers'.
_SESSION_PATH: Final = "transaction.list[]"
_LONGEST_S: Final = 10**9  # thirty years
# How many there are, which may be more than a list holds.
CHARGERS_COUNT: Final = "count"
SESSIONS_COUNT: Final = "transaction.count"


@dataclass(frozen=True, slots=True)
class ChargersRead:
    """`strange`: status words that we don't know, and how often each was said."""

    chargers: Sequence[Charger]
    notes: Notes
    strange: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class SessionsRead:
    sessions: Sequence[Session]
    notes: Notes


def zone_of(utc_offset_h: float) -> tzinfo:
    return timezone(timedelta(hours=utc_offset_h))


def read_chargers(items: Sequence[Any], *, zone: tzinfo) -> ChargersRead:
    notes = Notes()
    chargers = [
        _charger(Item(each, f"{CHARGERS}[]", notes), number, zone)
        for number, each in enumerate(items, 1)
        if _is_object(each, f"{CHARGERS}[]", notes)
    ]
    strange = Counter(
        plug.status for each in chargers for plug in each.connectors if plug.status and plug.status not in KNOWN
    )
    return ChargersRead(chargers, notes, strange)


def read_sessions(items: Sequence[Any], *, zone: tzinfo) -> SessionsRead:
    """Those without an id can't be kept once each, and are left out; the notes say so."""
    notes = Notes()
    found = [
        _session(Item(each, _SESSION_PATH, notes), zone) for each in items if _is_object(each, _SESSION_PATH, notes)
    ]
    return SessionsRead([each for each in found if each is not None], notes)


def _is_object(value: Any, path: str, notes: Notes) -> bool:
    notes.asked[path] += 1
    if isinstance(value, dict):
        return True
    notes.unreadable[path] += 1
    return False


def _charger(item: Item, number: int, zone: tzinfo) -> Charger:
    pk, box_id, uuid = item.text("chargeBoxPk"), item.text("chargeBoxId"), item.text("uuid")
    place = item.object("address")
    return Charger(
        key=box_id or uuid or (f"pk{pk}" if pk else f"no{number}"),
        pk=pk,
        box_id=box_id,
        uuid=uuid,
        description=item.words("description"),
        protocol=item.words("ocppProtocol"),
        vendor=item.words("chargePointVendor"),
        model=item.text("chargePointModel"),
        firmware=item.text("fwVersion"),
        heartbeat_at=item.instant("lastHeartbeatTimestamp", zone),
        latitude=_within(item.number("locationLatitude"), 90),
        longitude=_within(item.number("locationLongitude"), 180),
        address=_address(place) if place else None,
        is_active=item.flag("active"),
        connectors=tuple(_connector(each, zone) for each in item.list("connectors")),
    )


def _connector(item: Item, zone: tzinfo) -> Connector:
    pk, number = item.text("connectorPk"), item.text("connectorId")
    last = item.object("lastStatus")
    return Connector(
        pk=pk,
        number=number,
        power_max_w=item.number("powerMax"),
        type=item.words("connectorType"),
        current=item.words("currentType"),
        speed=item.words("speed"),
        status=last.words("status") if last else None,
        status_at=last.instant("timeStamp", zone) if last else None,
        error_code=last.text("errorCode") if last else None,
        soc_percent=_within(item.number("socPercentage"), 100),
        user_name=item.words("currentChargingUserName"),
        total_duration_s=item.number("totalDuration"),
    )


def _session(item: Item, zone: tzinfo) -> Session | None:
    id_ = item.text("id")
    made = Session(
        id=id_ or "",
        connector=item.text("connectorId"),
        box_id=item.text("chargeBoxId"),
        charger_uuid=item.text("chargeBoxUuid"),
        tag=item.text("ocppIdTag"),
        tag_pk=item.text("ocppTagPk"),
        started_at=item.instant("startTimestamp", zone),
        stopped_at=item.instant("stopTimestamp", zone),
        duration_s=item.number("duration"),
        energy_mwh=_not_negative(item.thousandths("energy")),
        start_mwh=item.thousandths("startValue"),
        stop_mwh=item.thousandths("stopValue"),
        user_name=item.words("userName"),
        flat=item.text("userAddressComplement"),
        cost_micros=item.millionths("cost"),
        idle_s=_not_negative(_within(item.number("idleDuration"), _LONGEST_S)),
        stop_reason=item.words("stopReason"),
        stop_actor=item.words("stopEventActor"),
    )
    return made if id_ else None


def _address(item: Item) -> str | None:
    """`Rua das Palmeiras, 120, 01234-000, São Paulo, SP`: whatever of it there is."""
    parts = [item.text(name) for name in ("street", "houseNumber", "zipCode", "city", "state")]
    return ", ".join(part for part in parts if part) or None


def _within(value: float | None, most: float) -> float | None:
    return value if value is not None and abs(value) <= most else None


def _not_negative(value: N | None) -> N | None:
    return value if value is None or value >= 0 else None
