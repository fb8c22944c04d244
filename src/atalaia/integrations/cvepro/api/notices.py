"""The JSON API of notices: the record, and what a resident wants to be told."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from atalaia.core.permissions import Permission
from atalaia.integrations.cvepro.api.residents import MOST, one_of, read_limit, text_of
from atalaia.integrations.cvepro.model.notices import Fate, NoticeKind
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.queries.notices import Listed, NoticeFilter, cursor_of, read_cursor
from atalaia.integrations.cvepro.service.notices import opt_in, opt_out
from atalaia.sdk.integration import Host, Reply, Request, Route

BASE: Final = "/api/cvepro/notices"
CHOICE: Final = "/api/cvepro/residents/{id}/notices"


class _Choice(msgspec.Struct, forbid_unknown_fields=True):
    kinds: list[str]


class NoticeRoutes:
    def __init__(self, host: Host) -> None:
        self._host = host

    def routes(self) -> tuple[Route, ...]:
        return (
            Route("GET", BASE, Permission.OVERVIEW_READ, self.list, document=_LIST),
            Route("PUT", CHOICE, Permission.DASHBOARDS_WRITE, self.choose, document=_CHOOSE),
        )

    async def list(self, request: Request) -> Reply:
        limit = read_limit(request.query)
        wanted = NoticeFilter(
            kind=one_of(request.query, "kind", tuple(NoticeKind)),
            fate=one_of(request.query, "fate", tuple(Fate)),
            resident_id=text_of(request.query, "resident") or None,
        )
        after = read_cursor(text_of(request.query, "cursor"))
        found = await self._host.read(lambda tx: queries.page(tx, wanted, limit=limit, after=after))
        following = cursor_of(found[limit - 1]) if len(found) > limit else None
        return Reply({"items": [_shown(each) for each in found[:limit]], "next": following})

    async def choose(self, request: Request) -> Reply:
        """What somebody has said otherwise than on the page, as on paper; with nothing it opts out."""
        id_, kinds = request.path_params["id"], request.json(_Choice).kinds
        by, client = request.principal, request.client
        if kinds:
            await self._host.write(lambda tx: opt_in(self._host, tx, id_, kinds, by=by, client=client))
        else:
            await self._host.write(lambda tx: opt_out(self._host, tx, id_, by=by, client=client))
        return Reply(status=204)


def _shown(listed: Listed) -> Mapping[str, Any]:
    one = listed.notice
    return {
        "subject": one.subject,
        "kind": str(one.kind),
        "resident": one.resident_id or None,
        "name": listed.name,
        "flat": listed.flat,
        "phone": one.phone,
        "fate": str(one.fate),
        "reason": one.reason,
        "text": one.text,
        "created_at": one.created_at,
        "settled_at": one.settled_at,
    }


_TEXT: Final = {"type": "string"}
_MAYBE: Final = {"type": ["string", "null"]}
_AT: Final = {"type": "string", "format": "date-time"}
_KIND: Final = {"type": "string", "enum": [str(each) for each in NoticeKind]}
_FATE: Final = {"type": "string", "enum": [str(each) for each in Fate]}
_NOTICE: Final = {
    "type": "object",
    "properties": {
        "subject": {**_TEXT, "description": "A session's id, or what became free when; `test:…` of a test"},
        "kind": _KIND,
        "resident": {**_MAYBE, "description": "null: a test"},
        "name": _MAYBE,
        "flat": _MAYBE,
        "phone": _TEXT,
        "fate": {**_FATE, "description": "unknown: perhaps sent, and not sent again"},
        "reason": {**_TEXT, "description": "The answer, or why not"},
        "text": _TEXT,
        "created_at": _AT,
        "settled_at": {"type": ["string", "null"], "format": "date-time"},
    },
}


def _query(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


_LIST: Final = {
    "summary": "Notices to residents with what became of each, newest first",
    "parameters": [
        _query("kind", _KIND),
        _query("fate", _FATE),
        _query("resident", _TEXT),
        _query("cursor", _TEXT),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST}),
    ],
    "responses": {
        "200": {
            "description": "Notices",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"items": {"type": "array", "items": _NOTICE}, "next": _MAYBE},
                    }
                }
            },
        }
    },
}
_CHOOSE: Final = {
    "summary": "What a resident wants to be told by WhatsApp; nothing at all opts out",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"kinds": {"type": "array", "items": _KIND}},
                    "required": ["kinds"],
                }
            }
        },
    },
    "responses": {
        "204": {"description": "It is kept"},
        "404": {"description": "There is no such resident"},
        "422": {"description": "A kind that there is not, or a resident without a phone number"},
    },
}
