"""The vendor's words: items of its lists, and what the faults make of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from atalaia_simulators.cvepro.site import LOCAL, Charger, Session, Site, resident_name, tag_of

_WARM_UP: Final = timedelta(seconds=40)
_FULL: Final = timedelta(minutes=15)


def local(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M:%S")


def local_slashed(at: datetime) -> str:
    return at.astimezone(LOCAL).strftime("%d/%m/%Y %H:%M:%S")


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def charger_item(site: Site, charger: Charger, session: Session | None, *, is_silent: bool, is_faulted: bool) -> Any:
    now = site.now()
    heartbeat = now - (timedelta(days=1) if is_silent else timedelta(seconds=20))
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
        "locationLatitude": -23.5614 + charger.number / 10_000,
        "locationLongitude": -46.6559,
        "active": True,
        "address": {
            "street": "Rua das Palmeiras",
            "houseNumber": "120",
            "zipCode": "01234-000",
            "city": "São Paulo",
            "state": "SP",
        },
        "connectors": [_connector(charger, session, now, is_faulted=is_faulted)],
    }


def _connector(charger: Charger, session: Session | None, now: datetime, *, is_faulted: bool) -> dict[str, Any]:
    status, since = _status(session, now)
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
        "socPercentage": None,
        "currentChargingUserName": resident_name(session.resident) if session else None,
        "totalDuration": int((now - session.start).total_seconds()) if session else None,
    }


def _status(session: Session | None, now: datetime) -> tuple[str, datetime]:
    if session is None:
        return "Available", now.replace(hour=0, minute=0, second=0, microsecond=0)
    if now < session.start + _WARM_UP:
        return "Preparing", session.start
    if now >= session.stop - _FULL:
        return "SuspendedEV", session.stop - _FULL
    return "Charging", session.start + _WARM_UP


def transaction_item(session: Session, now: datetime) -> dict[str, Any]:
    is_over = not session.is_active(now)
    length_s = int(((session.stop if is_over else now) - session.start).total_seconds())
    return {
        "id": session.id,
        "connectorId": 1,
        "chargeBoxId": session.charger.box_id,
        "chargeBoxUuid": session.charger.uuid,
        "ocppIdTag": tag_of(session.resident) if is_over else "",
        "ocppTagPk": session.resident,
        "startTimestamp": local_slashed(session.start),
        "stopTimestamp": local_slashed(session.stop) if is_over else None,
        "duration": length_s,
        "energy": session.energy_wh if is_over else None,
        "startValue": session.meter_wh,
        "stopValue": session.meter_wh + session.energy_wh if is_over else None,
        "userName": resident_name(session.resident),
        "userAddressComplement": f"Apto {session.resident:03d}",
        "cost": round(session.energy_wh * 0.00095, 2) if is_over else None,
        "idleDuration": int(_FULL.total_seconds()) if is_over else None,
        "stopReason": "EVDisconnected" if is_over else None,
        "stopEventActor": "station" if is_over else None,
    }


def tag_item(number: int) -> dict[str, Any]:
    return {
        "ocppTagPk": number,
        "idTag": tag_of(number),
        "userName": resident_name(number),
        "userAddressComplement": f"Apto {number:03d}",
        "active": True,
    }


def changed(
    value: Any, *, rename: Mapping[str, str], drop: Iterable[str], null: Iterable[str], retype: Iterable[str]
) -> Any:
    """The answer with its fields under other names, gone, null or of another type; at every depth."""
    gone, empty, other = set(drop), set(null), set(retype)

    def step(node: Any) -> Any:
        if isinstance(node, list):
            return [step(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {rename.get(key, key): field(key, found) for key, found in node.items() if key not in gone}

    def field(key: str, found: Any) -> Any:
        if key in empty:
            return None
        return _other_type(found) if key in other else step(found)

    return step(value)


def _other_type(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"~{value}" if is_number else 12.5
