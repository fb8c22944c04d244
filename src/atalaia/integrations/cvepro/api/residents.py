"""The JSON API of residents, and files around their import."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_, Translations
from atalaia.integrations.cvepro.queries.register import ResidentFilter
from atalaia.integrations.cvepro.service.enrolling import Enrolling
from atalaia.integrations.cvepro.service.residents import By, Entry, Known, Residents
from atalaia.sdk.integration import Reply, Request, Route

BASE: Final = "/api/cvepro/residents"
ROSTERS: Final = "/api/cvepro/rosters"
EXAMPLE: Final = f"{ROSTERS}/example.csv"
STATES: Final = ("active", "inactive")
WITHOUT: Final = ("tag", "phone", "account")
MOST: Final = 500
_USUAL: Final = 100
_FOLDER: Final = Path(__file__).parent.parent
_CSV: Final = "text/csv"  # the framework says which charset
_SAMPLE: Final = (
    "Nome;Bloco;Apartamento;Telefone;E-mail;Tag\r\n"
    "Ana Souza;A;101;(11) 91234-5678;ana@example.org;04A21B33\r\n"
    "João da Silva;A;102;(11) 3333-4444;joao@example.org;04B3C4D5 / 04C4D5E6\r\n"
    "María Fernández;B;201;+34 612 345 678;;04-D5-E6-F7\r\n"
)


class ResidentChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is not given stays; null takes away."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    flat: str | msgspec.UnsetType = msgspec.UNSET
    phone: str | msgspec.UnsetType | None = msgspec.UNSET
    email: str | msgspec.UnsetType | None = msgspec.UNSET
    locale: str | msgspec.UnsetType = msgspec.UNSET
    account: str | msgspec.UnsetType | None = msgspec.UNSET
    is_active: bool | msgspec.UnsetType = msgspec.UNSET
    tags: list[str] | msgspec.UnsetType = msgspec.UNSET
    move: bool = False


class ResidentRoutes:
    def __init__(self, residents: Residents, enrolling: Enrolling) -> None:
        self._residents = residents
        self._enrolling = enrolling

    def routes(self) -> tuple[Route, ...]:
        read, write = Permission.OVERVIEW_READ, Permission.DASHBOARDS_WRITE
        one = f"{BASE}/{{id}}"
        return (
            Route("GET", BASE, read, self.list, document=_LIST),
            Route("POST", BASE, write, self.add, document=_ADD),
            Route("GET", one, read, self.show, document=_SHOW),
            Route("PATCH", one, write, self.change, document=_CHANGE),
            Route("DELETE", one, write, self.remove, document=_REMOVE),
            Route("GET", EXAMPLE, write, self.example, document=_EXAMPLE),
            Route("GET", f"{ROSTERS}/{{id}}/refused.csv", write, self.refused, document=_REFUSED),
        )

    async def list(self, request: Request) -> Reply:
        limit = read_limit(request.query)
        wanted, after = read_filter(request.query), text_of(request.query, "cursor") or None
        found = await self._residents.page(wanted, limit=limit, after=after)
        following = found[limit - 1].resident.id if len(found) > limit else None
        return Reply({"items": [_shown(each) for each in found[:limit]], "next": following})

    async def add(self, request: Request) -> Reply:
        return Reply(_shown(await self._residents.add(request.json(Entry), by=by_of(request))), status=201)

    async def show(self, request: Request) -> Reply:
        return Reply(_shown(await self._residents.one(request.path_params["id"])))

    async def change(self, request: Request) -> Reply:
        id_, change = request.path_params["id"], request.json(ResidentChange)
        changed = await self._residents.change(id_, lambda known: _changed(known, change), by=by_of(request))
        return Reply(_shown(changed))

    async def remove(self, request: Request) -> Reply:
        await self._residents.remove(request.path_params["id"], by=by_of(request))
        return Reply(status=204)

    async def example(self, request: Request) -> Reply:  # noqa: ARG002 - a handler's form
        return _file("\ufeff".encode() + _SAMPLE.encode(), "moradores.csv")

    async def refused(self, request: Request) -> Reply:
        say = Translations.load((_FOLDER,)).translator(request.locale).translate
        return _file(await self._enrolling.refused(request.path_params["id"], say), "refused.csv")


def by_of(request: Request) -> By:
    return By(request.principal, request.client)


def read_filter(query: Mapping[str, str]) -> ResidentFilter:
    """Raises: InvalidField."""
    return ResidentFilter(
        q=text_of(query, "q") or None,
        flat=text_of(query, "flat") or None,
        state=one_of(query, "state", STATES),
        without=one_of(query, "without", WITHOUT),
    )


def read_limit(query: Mapping[str, str]) -> int:
    """Raises: InvalidField."""
    text = query.get("limit") or str(_USUAL)
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(MOST)) and 1 <= int(text) <= MOST):
        raise InvalidField("limit", N_("must be between 1 and {most}"), most=MOST)
    return int(text)


def text_of(query: Mapping[str, str], name: str) -> str:
    """Raises: InvalidField: what no database takes."""
    text = query.get(name, "").strip()
    if not text.isprintable():
        raise InvalidField(name, N_("This can't be read."))
    return text


def one_of(query: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    text = text_of(query, name)
    if text and text not in allowed:
        raise InvalidField(name, N_("must be one of {names}"), names=", ".join(allowed))
    return text or None


def entry_of(known: Known) -> Entry:
    """As it would be typed."""
    one = known.resident
    return Entry(
        name=one.name,
        flat=one.flat,
        phone=one.phone or "",
        email=one.email or "",
        locale=one.locale,
        account=one.person_id or "",
        is_active=one.is_active,
        tags=[each.tag for each in known.held],
    )


def _changed(known: Known, change: ResidentChange) -> Entry:
    entry = entry_of(known)
    given = {name: getattr(change, name) for name in ResidentChange.__struct_fields__}
    news = {name: "" if value is None else value for name, value in given.items() if value is not msgspec.UNSET}
    return msgspec.structs.replace(entry, **news)


def _file(content: bytes, name: str) -> Reply:
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Reply(content, content_type=_CSV, headers={**headers, "x-content-type-options": "nosniff"})


def _shown(known: Known) -> Mapping[str, Any]:
    one = known.resident
    return {
        "id": one.id,
        "name": one.name,
        "flat": one.flat,
        "phone": one.phone,
        "email": one.email,
        "locale": one.locale,
        "account": one.person_id,
        "is_active": one.is_active,
        "opted_in_at": one.opted_in_at,
        "notices": list(one.notices),
        "tags": [
            {"tag": each.tag, "label": each.label, "since_at": each.since_at, "until_at": each.until_at}
            for each in known.tags
        ],
        "created_at": one.created_at,
        "changed_at": one.changed_at,
    }


_TEXT: Final = {"type": "string"}
_MAYBE: Final = {"type": ["string", "null"]}
_AT: Final = {"type": "string", "format": "date-time"}
_MAYBE_AT: Final = {"type": ["string", "null"], "format": "date-time"}
_TAG: Final = {
    "type": "object",
    "properties": {
        "tag": {**_TEXT, "description": "Upper case, without blanks and separators"},
        "label": _MAYBE,
        "since_at": {**_MAYBE_AT, "description": "null: ever since"},
        "until_at": {**_MAYBE_AT, "description": "null: still; sessions until then stay with this resident"},
    },
}
_RESIDENT: Final = {
    "type": "object",
    "properties": {
        "id": _TEXT,
        "name": _TEXT,
        "flat": _TEXT,
        "phone": {**_MAYBE, "description": "E.164"},
        "email": _MAYBE,
        "locale": {"type": "string", "enum": ["pt-BR", "en"]},
        "account": {
            **_MAYBE,
            "description": "Id of the account of the role CLIENT that sees these sessions as its own",
        },
        "is_active": {"type": "boolean"},
        "opted_in_at": {**_MAYBE_AT, "description": "To notices; null: never told anything"},
        "notices": {"type": "array", "items": _TEXT},
        "tags": {"type": "array", "items": _TAG},
        "created_at": _AT,
        "changed_at": _AT,
    },
}
_FIELDS: Final[dict[str, Any]] = {
    "name": _TEXT,
    "flat": _TEXT,
    "phone": {**_MAYBE, "description": "A number of Brazil with its area code, or one with its country code"},
    "email": _MAYBE,
    "locale": {"type": "string", "enum": ["pt-BR", "en"]},
    "account": _MAYBE,
    "is_active": {"type": "boolean"},
    "tags": {"type": "array", "items": _TEXT, "description": "All that are held; others are handed back"},
    "move": {"type": "boolean", "description": "Take tags from whom they are now"},
}


def _answer(description: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _body(required: list[str]) -> Mapping[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": _FIELDS}
    return {
        "required": True,
        "content": {"application/json": {"schema": schema | ({"required": required} if required else {})}},
    }


def _query(name: str, description: str, **schema: Any) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string", **schema}}


_GONE: Final = {"404": {"description": "There is no such resident"}}
_WRONG: Final = {"422": {"description": "A field is wrong, or a tag or account is another's: the answer names it"}}
_FILE: Final = {"200": {"description": "The file", "content": {"text/csv": {"schema": _TEXT}}}}
_LIST: Final = {
    "summary": "Residents by flat and name",
    "parameters": [
        _query("q", "A part of name, flat, phone, e-mail or tag"),
        _query("flat", "The flat"),
        _query("state", "Active ones or those that are not", enum=list(STATES)),
        _query("without", "Those who have none", enum=list(WITHOUT)),
        _query("limit", "1 to 500", type="integer"),
        _query("cursor", "`next` of the page before"),
    ],
    "responses": {
        "200": _answer(
            "Residents",
            {"type": "object", "properties": {"items": {"type": "array", "items": _RESIDENT}, "next": _MAYBE}},
        ),
        "422": {"description": "A filter can't be read"},
    },
}
_ADD: Final = {
    "summary": "Enter a resident",
    "requestBody": _body(["name", "flat"]),
    "responses": {"201": _answer("The resident", _RESIDENT), **_WRONG},
}
_SHOW: Final = {
    "summary": "One resident with all tags, past ones too",
    "responses": {"200": _answer("The resident", _RESIDENT), **_GONE},
}
_CHANGE: Final = {
    "summary": "Change what is given of a resident; null takes it away",
    "requestBody": _body([]),
    "responses": {"200": _answer("The resident", _RESIDENT), **_GONE, **_WRONG},
}
_REMOVE: Final = {
    "summary": "Delete a resident with the tags; sessions stay, as the vendor tells of them",
    "responses": {"204": {"description": "Gone"}, **_GONE},
}
_EXAMPLE: Final = {"summary": "An example of a file of residents", "responses": _FILE}
_REFUSED: Final = {
    "summary": "Rows of a file that were left out, with why",
    "responses": {**_FILE, "404": {"description": "The file is not kept any more"}},
}
