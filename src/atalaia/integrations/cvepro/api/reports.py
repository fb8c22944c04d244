"""The JSON API of reports, and their files."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from atalaia.core.errors import InvalidField
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.model.months import read_month
from atalaia.integrations.cvepro.model.reports import MEDIA_TYPES, Format, Report, ReportOrder, Which, file_name
from atalaia.integrations.cvepro.queries import reports as queries
from atalaia.integrations.cvepro.service.reports import Reports
from atalaia.sdk.integration import Host, Reply, Request, Route

_BASE: Final = "/api/cvepro/reports"
_MOST: Final = 200
_USUAL: Final = 50


class ReportRoutes:
    def __init__(self, host: Host, reports: Reports) -> None:
        self._host = host
        self._reports = reports

    def routes(self) -> tuple[Route, ...]:
        write = Permission.DASHBOARDS_WRITE
        return (
            Route("GET", _BASE, Permission.OVERVIEW_READ, self.list, document=_LIST),
            Route("POST", _BASE, write, self.order, document=_ORDER),
            Route("DELETE", f"{_BASE}/{{id}}", write, self.drop, document=_DROP),
            Route("GET", f"{_BASE}/{{id}}/file", Permission.DASHBOARDS_READ, self.file, document=_FILE),
        )

    async def list(self, request: Request) -> Reply:
        query = request.query
        month = str(read_month(query["month"])) if query.get("month") else None
        flat, after, limit = query.get("flat") or None, query.get("cursor") or None, _limit(query.get("limit"))
        if any(not each.isprintable() for each in (flat, after) if each):
            raise InvalidField("flat", N_("It holds letters that can't be shown."))
        found = await self._host.read(lambda tx: queries.page(tx, month=month, flat=flat, limit=limit, after=after))
        page = found[:limit]
        return Reply({"items": [_shown(each) for each in page], "next": page[-1].id if len(found) > limit else None})

    async def order(self, request: Request) -> Reply:
        order = request.json(ReportOrder)
        job = await self._reports.order(order, by=request.principal, client=request.client)
        return Reply({"job_id": job.id, "status": job.status, "is_new": job.is_new}, status=202)

    async def drop(self, request: Request) -> Reply:
        await self._reports.drop([request.path_params["id"]], by=request.principal, client=request.client)
        return Reply(status=204)

    async def file(self, request: Request) -> Reply:
        """Always as a download: what people bring is shown by no page of ours."""
        report, content = await self._reports.content(request.path_params["id"], request.principal)
        return Reply(content, headers=_headers(report), content_type=MEDIA_TYPES[report.format])


def href_of(report: Report) -> str:
    return f"{_BASE}/{report.id}/file"


def _headers(report: Report) -> Mapping[str, str]:
    name = file_name(report.title, report.format)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    return {
        # RFC 6266: the name in full, and one for whoever does not read that.
        "content-disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}",
        "cache-control": "no-store",
    }


def _limit(text: str | None) -> int:
    """Raises: InvalidField."""
    if not text:
        return _USUAL
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= _MOST:
        raise InvalidField("limit", N_("between {least} and {most}"), least=1, most=_MOST)
    return int(text[:6])


def _shown(report: Report) -> Mapping[str, Any]:
    return {
        "id": report.id,
        "month": report.month,
        "flat": report.flat,
        "title": report.title,
        "format": str(report.format),
        "size_bytes": report.size_bytes,
        "is_uploaded": report.job_id is None,
        "job_id": report.job_id,
        "created_by": report.created_by,
        "created_at": report.created_at,
        "file": href_of(report),
    }


_MONTH: Final = {"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$", "examples": ["2026-10"]}
_FLAT: Final = {"type": ["string", "null"], "description": "null: of the whole condominium"}
_REPORT: Final = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "month": _MONTH,
        "flat": _FLAT,
        "title": {"type": "string"},
        "format": {"type": "string", "enum": [str(each) for each in Format]},
        "size_bytes": {"type": "integer"},
        "is_uploaded": {"type": "boolean"},
        "job_id": {"type": ["string", "null"]},
        "created_by": {"type": "string"},
        "created_at": {"type": "string", "format": "date-time"},
        "file": {"type": "string", "description": "The path of its file"},
    },
}
_GONE: Final = {"404": {"description": "There is no such report, or none that you may read"}}


def _answer(description: str, schema: Mapping[str, Any], kind: str = "application/json") -> Mapping[str, Any]:
    return {"description": description, "content": {kind: {"schema": schema}}}


def _query(name: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


_LIST: Final = {
    "summary": "Reports, newest first",
    "parameters": [
        _query("month", _MONTH),
        _query("flat", {"type": "string"}),
        _query("cursor", {"type": "string"}),
        _query("limit", {"type": "integer", "minimum": 1, "maximum": _MOST, "default": _USUAL}),
    ],
    "responses": {
        "200": _answer(
            "Reports",
            {
                "type": "object",
                "properties": {
                    "items": {"type": "array", "items": _REPORT},
                    "next": {"type": ["string", "null"]},
                },
            },
        ),
        "422": {"description": "A filter is wrong: the answer names it"},
    },
}
_ORDER: Final = {
    "summary": "Make the reports of a month: a job",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "month": _MONTH,
                        "which": {"type": "string", "enum": [str(each) for each in Which], "default": "all"},
                        "flat": {"type": ["string", "null"], "description": "Where `which` is `flat`"},
                    },
                    "required": ["month"],
                }
            }
        },
    },
    "responses": {
        "202": _answer(
            "The job; one that is under way already is not made twice",
            {
                "type": "object",
                "properties": {
                    "job_id": {"type": "string"},
                    "status": {"type": "string"},
                    "is_new": {"type": "boolean"},
                },
            },
        ),
        "422": {"description": "A field is wrong: the answer names it"},
    },
}
_DROP: Final = {"summary": "Delete a report", "responses": {"204": {"description": "It is gone"}, **_GONE}}
_FILE: Final = {
    "summary": "A report's file, for whoever may read all, or lives in its flat",
    "responses": {
        "200": _answer("The file", {"type": "string", "format": "binary"}, "application/octet-stream"),
        **_GONE,
    },
}
