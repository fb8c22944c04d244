"""The JSON API of tariffs."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from atalaia.core.permissions import Permission
from atalaia.integrations.cvepro.api.imports import read_day
from atalaia.integrations.cvepro.model.tariffs import Tariff, Terms
from atalaia.integrations.cvepro.service.tariffs import Standing, Tariffs
from atalaia.sdk.integration import Host, Reply, Request, Route

_BASE: Final = "/api/cvepro/tariffs"


class NewTariff(msgspec.Struct):
    first_day: str
    terms: Terms


class TariffRoutes:
    def __init__(self, host: Host) -> None:
        self._tariffs = Tariffs(host)

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", _BASE, Permission.OVERVIEW_READ, self.list, document=_LIST),
            Route("POST", _BASE, Permission.DASHBOARDS_WRITE, self.add, document=_ADD),
            Route("DELETE", f"{_BASE}/{{id}}", Permission.DASHBOARDS_WRITE, self.drop, document=_DROP),
        )

    async def list(self, request: Request) -> Reply:  # noqa: ARG002 - a handler's form
        return Reply({"items": [_shown(each) for each in await self._tariffs.all()], "next": None})

    async def add(self, request: Request) -> Reply:
        new = request.json(NewTariff)
        made = await self._tariffs.add(
            read_day(new.first_day, "first_day"), new.terms, by=request.principal, client=request.client
        )
        return Reply(_told(made), status=201)

    async def drop(self, request: Request) -> Reply:
        await self._tariffs.drop(request.path_params["id"], by=request.principal, client=request.client)
        return Reply(status=204)


def _told(tariff: Tariff) -> dict[str, Any]:
    return {
        "id": tariff.id,
        "first_day": tariff.first_day,
        "terms": tariff.terms,
        "created_by": tariff.created_by,
        "created_at": tariff.created_at,
    }


def _shown(one: Standing) -> Mapping[str, Any]:
    return {
        **_told(one.tariff),
        "last_day": one.last_day,
        "is_in_force": one.is_in_force,
        "can_be_deleted": one.kept_for is None,
    }


_MICROS: Final = {"type": "integer", "minimum": 0, "description": "Millionths of the currency: 950000 is R$ 0.95"}
_TIME: Final = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_BAND: Final = {
    "type": "object",
    "description": "Local time; one that ends where it begins, or earlier, goes on past midnight. Bands may not overlap",
    "properties": {
        "name": {"type": "string"},
        "days": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 7}, "description": "1: Monday"},
        "from": _TIME,
        "until": _TIME,
        "price_micros": _MICROS,
    },
    "required": ["name", "from", "until", "price_micros"],
}
_TERMS: Final = {
    "type": "object",
    "properties": {
        "price_micros": {**_MICROS, "description": "Of a kWh outside all bands, in millionths of the currency"},
        "bands": {"type": "array", "items": _BAND},
        "session_fee_micros": _MICROS,
        "idle_fee_micros": {**_MICROS, "description": "Of each whole idle minute past the grace"},
        "idle_grace_min": {"type": "integer", "minimum": 0, "maximum": 1440},
        "monthly_fee_micros": {**_MICROS, "description": "Of a flat; whole cents"},
    },
    "required": ["price_micros"],
}
_DAY: Final = {"type": "string", "format": "date"}
_TARIFF: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "first_day": _DAY,
        "last_day": {**_DAY, "type": ["string", "null"]},
        "is_in_force": {"type": "boolean"},
        "can_be_deleted": {"type": "boolean"},
        "terms": _TERMS,
        "created_by": {"type": "string"},
        "created_at": {"type": "string", "format": "date-time"},
    },
}


def _answer(description: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


_LIST: Final = {
    "summary": "Tariffs, the newest first",
    "responses": {
        "200": _answer("Tariffs", {"type": "object", "properties": {"items": {"type": "array", "items": _TARIFF}}})
    },
}
_ADD: Final = {
    "summary": "Begin a tariff from a day on",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"first_day": _DAY, "terms": _TERMS},
                    "required": ["first_day", "terms"],
                }
            }
        },
    },
    "responses": {
        "201": _answer("The tariff", _TARIFF),
        "409": {"description": "That day is of a month that is over, and went by another tariff"},
        "422": {"description": "A field is wrong, or bands overlap: the answer names it"},
    },
}
_DROP: Final = {
    "summary": "Delete a tariff that no month that is over went by",
    "responses": {
        "204": {"description": "It is gone"},
        "404": {"description": "There is no such tariff"},
        "409": {"description": "A month that is over went by it"},
    },
}
