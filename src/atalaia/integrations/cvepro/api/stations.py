"""The JSON API of charge points that connect straight: which there are, who is let in, and what they are asked to do."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.redaction import Secret
from atalaia.integrations.cvepro.api import station_documents as docs
from atalaia.integrations.cvepro.model.commands import LIFE_S, Command
from atalaia.integrations.cvepro.model.stations import Station
from atalaia.integrations.cvepro.ocpp.orders import read_order
from atalaia.integrations.cvepro.ocpp.straight import Straight
from atalaia.sdk.integration import Host, Reply, Request, Route

BASE: Final = "/api/cvepro/stations"


class _New(msgspec.Struct, forbid_unknown_fields=True, rename={"box_id": "chargeBoxId"}):
    box_id: str


class _Admit(msgspec.Struct, forbid_unknown_fields=True):
    with_password: bool = True


class _Order(msgspec.Struct):
    action: str
    connector: int | None = None
    tag: str | None = None


class StationRoutes:
    def __init__(self, host: Host, straight: Straight) -> None:
        self._host = host
        self._admitting = straight.admitting
        self._commanding = straight.commanding

    def routes(self) -> tuple[Route, ...]:
        commands, one = "/api/cvepro/chargers/{key}/commands", f"{BASE}/{{box_id}}"
        return (
            Route("GET", BASE, Permission.OVERVIEW_READ, self.list, document=docs.LIST),
            Route("POST", BASE, Permission.DASHBOARDS_WRITE, self.add, document=docs.ADD),
            Route("POST", f"{one}/admit", Permission.DASHBOARDS_WRITE, self.admit, document=docs.ADMIT),
            Route("POST", f"{one}/refuse", Permission.DASHBOARDS_WRITE, self.refuse, document=docs.REFUSE),
            Route("POST", f"{one}/password", Permission.DASHBOARDS_WRITE, self.renew_password, document=docs.PASSWORD),
            Route("DELETE", one, Permission.DASHBOARDS_WRITE, self.forget, document=docs.FORGET),
            Route("POST", commands, Permission.DASHBOARDS_WRITE, self.command, document=docs.COMMAND),
        )

    async def list(self, request: Request) -> Reply:  # noqa: ARG002 - a handler's form
        return Reply({"items": [_shown(each) for each in await self._admitting.all_of_them()], "next": None})

    async def add(self, request: Request) -> Reply:
        new = request.json(_New)
        try:
            password = await self._admitting.add(new.box_id, **_who(request))
        except InvalidField as error:
            raise InvalidField("chargeBoxId", error.message, **error.params) from error
        return await self._standing(new.box_id.strip(), password, status=201)

    async def admit(self, request: Request) -> Reply:
        asked = request.json(_Admit) if request.body else _Admit()
        box_id = request.path_params["box_id"]
        password = await self._admitting.admit(box_id, with_password=asked.with_password, **_who(request))
        return await self._standing(box_id, password)

    async def refuse(self, request: Request) -> Reply:
        box_id = request.path_params["box_id"]
        await self._admitting.refuse(box_id, **_who(request))
        return await self._standing(box_id)

    async def renew_password(self, request: Request) -> Reply:
        box_id = request.path_params["box_id"]
        return await self._standing(box_id, await self._admitting.renew_password(box_id, **_who(request)))

    async def forget(self, request: Request) -> Reply:
        await self._admitting.forget(request.path_params["box_id"], **_who(request))
        return Reply(status=204)

    async def _standing(self, box_id: str, password: Secret | None = None, *, status: int = 200) -> Reply:
        """As it stands now, with its new password, which nobody is ever told again. Raises: NotFound: forgotten meanwhile."""
        told = _shown(await self._admitting.find(box_id))
        more = {} if password is None else {"password": password.reveal()}
        return Reply({**told, **more}, status=status, headers={"cache-control": "no-store"})

    async def command(self, request: Request) -> Reply:
        """It answers when the charge point has, or when nobody waits any more."""
        order = request.json(_Order)
        action, given = read_order(order.action, {"connector": order.connector, "tag": order.tag})
        by, client = request.principal, request.client
        made = await self._commanding.give(request.path_params["key"], action, given, by=by, client=client)
        ended = await self._commanding.ended(made.id, within_s=LIFE_S)
        return Reply(self._told(ended))

    def _told(self, one: Command) -> Mapping[str, Any]:
        return {
            "id": one.id,
            "chargeBoxId": one.box_id,
            "action": str(one.action),
            "state": str(one.standing(self._host.clock.now())),
            "answer": one.answer,
            "asked_by": one.asked_by,
            "asked_at": one.asked_at,
            "ended_at": one.ended_at,
        }


def _who(request: Request) -> dict[str, Any]:
    return {"by": request.principal, "client": request.client}


def _shown(one: Station) -> Mapping[str, Any]:
    return {
        "chargeBoxId": one.box_id,
        "standing": str(one.standing),
        "connected": one.is_connected,
        "client": one.line.client,
        "connected_at": one.line.connected_at if one.is_connected else None,
        "seen_at": one.line.seen_at,
        "booted_at": one.booted_at,
        "boot": one.told,
        "has_password": one.has_password,
        "refused": one.line.refused,
        "refused_at": one.line.refused_at,
        "created_at": one.created_at,
    }
