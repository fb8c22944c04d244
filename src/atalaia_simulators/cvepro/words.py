"""The vendor's words: items of its lists."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from atalaia_simulators.cvepro.residents import flat_of, resident_name
from atalaia_simulators.cvepro.sessions import WARM_UP, Charger, Session, cents_for
from atalaia_simulators.cvepro.traffic import LOCAL

_IDLE: Final = timedelta(seconds=1)
# Two rows of bays, some metres apart.
_LATITUDE: Final = -23.5614
_LONGITUDE: Final = -46.6559
_BAYS_A_ROW: Final = 10
_ROW: Final = 0.00008
_BAY: Final = 0.00003


def local(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M:%S")


def local_slashed(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M:%S")


def iso(at: datetime) -> str:
    at = at.astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def charger_item(
    charger: Charger,
    session: Session | None,
    now: datetime,
    *,
    is_silent: bool = False,
    is_faulted: bool = False,
    says: tuple[str, datetime] | None = None,
) -> Any:
    """`says`: this status since then, whatever it does."""
    heartbeat = now - (timedelta(days=1) if is_silent else timedelta(seconds=20))
    row, bay = divmod(charger.number - 1, _BAYS_A_ROW)
    return {
        "chargeBoxPk": charger.number,
        "chargeBoxId": charger.box_id,
        "uuid": charger.uuid,
        "description": f"Vaga {charger.number:02d}",
        "ocppProtocol": "ocpp1.6J",
        "chargePointVendor": "Intelbras",
        "chargePointModel": "EVC22" if charger.is_fast else "EVC7",
        "fwVersion": "1.4.2",
        "lastHeartbeatTimestamp": local(heartbeat),
        "locationLatitude": round(_LATITUDE + row * _ROW, 6),
        "locationLongitude": round(_LONGITUDE + bay * _BAY, 6),
        "active": True,
        "address": {
            "street": "Rua das Palmeiras",
            "houseNumber": "120",
            "zipCode": "01234-000",
            "city": "São Paulo",
            "state": "SP",
        },
        "connectors": [_connector(charger, session, now, is_faulted=is_faulted, says=says)],
    }


def _connector(
    charger: Charger, session: Session | None, now: datetime, *, is_faulted: bool, says: tuple[str, datetime] | None
) -> dict[str, Any]:
    status, since = says or status_of(session, now)
    return {
        "connectorPk": charger.number * 10 + 1,
        "connectorId": 1,
        "powerMax": charger.power_w,
        "connectorType": "Type 2",
        "currentType": "AC",
        "speed": "FAST" if charger.is_fast else "SLOW",
        "lastStatus": {
            "timeStamp": iso(since),
            "status": "Faulted" if is_faulted else status,
            "errorCode": "GroundFailure" if is_faulted else "NoError",
        },
        # The fast ones can ask the car.
        "socPercentage": session.soc_at(now) if session and charger.is_fast else None,
        "currentChargingUserName": _name(session) if session else None,
        "totalDuration": int((now - session.start).total_seconds()) if session else None,
    }


def status_of(session: Session | None, now: datetime) -> tuple[str, datetime]:
    """The status word, and since when."""
    if session is None:
        return "Available", now.replace(hour=0, minute=0, second=0, microsecond=0)
    if now < session.start + WARM_UP:
        return "Preparing", session.start
    if now >= session.full_at + _IDLE:
        return "SuspendedEV", session.full_at
    return "Charging", session.start + WARM_UP


def transaction_item(session: Session, now: datetime, *, percent: int = 100) -> dict[str, Any]:
    """`percent`: the energy as it is told, of what it is."""
    is_over = not session.is_active(now)
    length_s = int(((session.stop if is_over else now) - session.start).total_seconds())
    energy_wh = session.whole_wh * percent // 100
    return {
        "id": session.id,
        "connectorId": 1,
        "chargeBoxId": session.charger.box_id,
        "chargeBoxUuid": session.charger.uuid,
        "ocppIdTag": session.tag if is_over else "",
        "ocppTagPk": tag_pk(session.tag),
        "startTimestamp": local_slashed(session.start),
        "stopTimestamp": local_slashed(session.stop) if is_over else None,
        "duration": length_s,
        "energy": energy_wh if is_over else None,
        "startValue": session.meter_wh,
        "stopValue": session.meter_wh + energy_wh if is_over else None,
        "userName": _name(session),
        "userAddressComplement": flat_of(session.resident) if session.resident else None,
        "cost": cents_for(energy_wh) / 100 if is_over else None,
        "idleDuration": session.idle_s if is_over else None,
        "stopReason": session.reason if is_over else None,
        "stopEventActor": _actor(session) if is_over else None,
    }


def active_item(session: Session, now: datetime) -> dict[str, Any]:
    """Of those under way the vendor tells the tag, and how far the meter is."""
    whole = transaction_item(session, min(now, session.start))
    never = ("stopTimestamp", "energy", "cost", "idleDuration", "stopReason", "stopEventActor")
    kept = {key: value for key, value in whole.items() if key not in never}
    meter_wh = session.meter_wh + session.energy_wh(now)
    length_s = int((now - session.start).total_seconds())
    return {**kept, "ocppIdTag": session.tag, "duration": length_s, "stopValue": meter_wh}


def tag_item(tag: str, resident: int | None, *, is_active: bool = True) -> dict[str, Any]:
    return {
        "ocppTagPk": tag_pk(tag),
        "idTag": tag,
        "userName": resident_name(resident) if resident else None,
        "userAddressComplement": flat_of(resident) if resident else None,
        "active": is_active,
    }


def tag_pk(tag: str) -> int:
    return int(tag[3:], 16)


def record_of(session: Session, now: datetime) -> dict[str, Any]:
    """What really was, for who counts for himself: whole Wh and cents, instants in UTC; None while it is not over."""
    is_over = session.stop <= now
    return {
        "id": str(session.id),
        "charger": session.charger.box_id,
        "resident": session.resident,
        "flat": flat_of(session.resident) if session.resident else None,
        "tag": session.tag,
        "start": iso(session.start),
        "stop": iso(session.stop) if is_over else None,
        "energy_wh": session.whole_wh if is_over else None,
        "cost_cents": session.cost_cents if is_over else None,
        "idle_s": session.idle_s if is_over else None,
    }


def _actor(session: Session) -> str:
    return "user" if session.reason == "Remote" else "station"


def _name(session: Session) -> str | None:
    return resident_name(session.resident) if session.resident else None
