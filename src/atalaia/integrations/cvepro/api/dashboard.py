"""The kept address of the first dashboard: `GET /api/dashboard/chargers`, in its own words, answered whatever the cloud does."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.manifest import is_configured
from atalaia.integrations.cvepro.model.chargers import Status
from atalaia.integrations.cvepro.service.board import Board, Plug, Seen, Shown
from atalaia.sdk.integration import Host, Reply, Request, Route

_NO_TYPE: Final = "Type 2"
_NO_SPEED: Final = "SLOW"
_NO_STORE: Final = {"cache-control": "no-store"}
_UNCONFIGURED: Final = N_("The integration cvepro is not configured.")
_AWAY: Final = N_("The chargers' cloud can't be read.")
_UNREAD: Final = N_("The chargers have not been read yet.")


class Dashboard:
    def __init__(self, host: Host, board: Board) -> None:
        self._host = host
        self._board = board

    def routes(self) -> tuple[Route, ...]:
        return (Route("GET", "/api/dashboard/chargers", Permission.DASHBOARDS_READ, self.chargers, document=_DOCUMENT),)

    async def chargers(self, request: Request) -> Reply:
        seen = await self._board.look()
        zone = timezone(timedelta(hours=float(self._host.setting("utc_offset_h"))))
        names = may_see_names(request)
        body: dict[str, Any] = {"success": True, "data": [_item(each, zone, names=names) for each in seen.shown]}
        body |= self._staleness(seen, names=names)
        return Reply(body, headers=_NO_STORE)

    def _staleness(self, seen: Seen, *, names: bool) -> dict[str, Any]:
        """The vendor's own words are for who sees names."""
        feed = seen.feed
        if feed.is_stale:
            return {"stale": True, "staleSince": _utc(feed.failing_since), "error": feed.error if names else _AWAY}
        if feed.good_at is not None or (seen.has_stations and not is_configured(self._host.setting)):
            return {}
        why = _UNREAD if is_configured(self._host.setting) else _UNCONFIGURED
        return {"stale": True, "staleSince": None, "error": why}


def may_see_names(request: Request) -> bool:
    """A resident sees nobody else's name."""
    return request.principal.may(Permission.OVERVIEW_READ)


def _item(shown: Shown, zone: timezone, *, names: bool) -> dict[str, Any]:
    charger = shown.charger
    return {
        "uuid": charger.uuid,
        "chargeBoxId": charger.box_id,
        "nome": charger.description or charger.box_id,
        "statusConector": charger.status or str(Status.UNAVAILABLE),
        "ultimoBatimento": charger.heartbeat_at.astimezone(zone).isoformat() if charger.heartbeat_at else None,
        "usuarioAtual": shown.user_name if names else None,
        "localizacao": {
            "latitude": charger.latitude,
            "longitude": charger.longitude,
            "endereco": charger.address,
        },
        "potenciaMaxima": _plain(charger.power_max_w),
        "tipoConector": _first([plug.connector.type for plug in shown.plugs]) or _NO_TYPE,
        "velocidade": _first([plug.connector.speed for plug in shown.plugs]) or _NO_SPEED,
        "connectors": [_connector(plug, names=names) for plug in shown.plugs],
    }


def _connector(plug: Plug, *, names: bool) -> dict[str, Any]:
    """In the vendor's own words, as the first dashboard passed them on."""
    one = plug.connector
    return {
        "connectorPk": _whole(one.pk),
        "connectorId": _whole(one.number),
        "powerMax": _plain(one.power_max_w),
        "connectorType": one.type,
        "currentType": one.current,
        "speed": one.speed,
        "lastStatus": {"timeStamp": _utc(one.status_at), "status": one.status, "errorCode": one.error_code},
        "socPercentage": _plain(one.soc_percent),
        "currentChargingUserName": one.user_name if names else None,
        "totalDuration": _plain(one.total_duration_s),
    }


def _first(found: Sequence[str | None]) -> str | None:
    return next((each for each in found if each), None)


def _plain(value: float | None) -> float | None:
    """7400 and not 7400.0, as it came."""
    return int(value) if value is not None and value.is_integer() else value


def _whole(value: str | None) -> int | str | None:
    return int(value) if value is not None and value.isascii() and value.isdecimal() else value


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _nullable(kind: str) -> dict[str, Any]:
    return {"type": [kind, "null"]}


_ITEM: Final = {
    "type": "object",
    "properties": {
        "uuid": _nullable("string"),
        "chargeBoxId": _nullable("string"),
        "nome": _nullable("string"),
        "statusConector": {"type": "string"},
        "ultimoBatimento": {"type": ["string", "null"], "format": "date-time"},
        "usuarioAtual": _nullable("string"),
        "localizacao": {
            "type": "object",
            "properties": {
                "latitude": _nullable("number"),
                "longitude": _nullable("number"),
                "endereco": _nullable("string"),
            },
        },
        "potenciaMaxima": _nullable("number"),
        "tipoConector": {"type": "string"},
        "velocidade": {"type": "string"},
        "connectors": {"type": "array", "items": {"type": "object"}},
    },
}
_DOCUMENT: Final = {
    "summary": "The chargers as they were last read; `stale` says that they can't be read now",
    "responses": {
        "200": {
            "description": "Always, also while the vendor's cloud is away",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["success", "data"],
                        "properties": {
                            "success": {"type": "boolean"},
                            "data": {"type": "array", "items": _ITEM},
                            "stale": {"type": "boolean"},
                            "staleSince": {"type": ["string", "null"], "format": "date-time"},
                            "error": _nullable("string"),
                        },
                    }
                }
            },
        }
    },
}
