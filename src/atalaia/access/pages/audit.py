"""The audit log: looked through, and taken along."""

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.response import Stream

from atalaia.access.guards import requires
from atalaia.access.model import AuditEntry, AuditFilter
from atalaia.access.pages.forms import query_of
from atalaia.access.requests import AnyRequest
from atalaia.access.service.audit import AuditService
from atalaia.core.errors import InvalidField
from atalaia.core.formats import zone
from atalaia.core.permissions import Permission
from atalaia.core.translations import N_
from atalaia.web.cursors import DEFAULT_LIMIT
from atalaia.web.pages import Pages, locale_of, viewer_of, zone_of

AUDIT = "/audit"
_GUARDS = [requires(Permission.AUDIT_READ)]
_COLUMNS = ("id", "at", "actor_kind", "actor_id", "actor_name", "action", "object", "before", "after", "address")
# A spreadsheet would run what begins with one of these as a formula.
_BOM = "\ufeff"  # without it spreadsheets read the bytes as an older encoding
_FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")


@get(AUDIT, guards=_GUARDS, include_in_schema=False)
async def show_audit(
    request: AnyRequest, pages: NamedDependency[Pages], audit_service: NamedDependency[AuditService]
) -> Response[str]:
    context = await _rows(request, pages, audit_service)
    title = pages.translator(request).translate(N_("Audit log"))
    return await pages.page(request, "access/audit.html", rows=len(context["entries"]), title=title, **context)


@get("/audit/rows", guards=_GUARDS, include_in_schema=False)
async def show_audit_rows(
    request: AnyRequest, pages: NamedDependency[Pages], audit_service: NamedDependency[AuditService]
) -> Response[str]:
    context = await _rows(request, pages, audit_service)
    return await pages.fragment(request, "access/_audit_rows.html", rows=len(context["entries"]), **context)


@get("/audit/export.csv", guards=_GUARDS, include_in_schema=False)
async def export_audit(
    request: AnyRequest, pages: NamedDependency[Pages], audit_service: NamedDependency[AuditService]
) -> Stream:
    filter_ = _filter(request, pages)
    name = f"atalaia-audit-{datetime.now(UTC):%Y%m%d-%H%M}.csv"
    separator = ";" if locale_of(request) == "pt-BR" else ","
    return Stream(
        _csv(audit_service.export(filter_), separator),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"},
    )


def filter_of(params: Mapping[str, str], *, where: ZoneInfo) -> AuditFilter:
    """The filter of an address; `from` and `to` are days (both included) in the zone `where`.

    Raises:
        InvalidField: a day that is none.
    """
    from_at, to_at = _day(params, "from", where), _day(params, "to", where, later=timedelta(days=1))
    return AuditFilter(
        actor=params.get("actor", "").strip(),
        action=params.get("action", "").strip(),
        object=params.get("object", "").strip(),
        from_at=from_at,
        to_at=to_at,
    )


def cell(value: Any) -> str:
    """A value of the log as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{text}" if text.startswith(_FORMULA_MARKS) else text


async def _rows(request: AnyRequest, pages: Pages, audit_service: AuditService) -> dict[str, Any]:
    params = query_of(request)
    filter_ = _filter(request, pages)
    entries, after = await audit_service.page(filter_, cursor=params.get("cursor"), limit=DEFAULT_LIMIT)
    rows = [{"entry": entry, "before": _shown(entry.before), "after": _shown(entry.after)} for entry in entries]
    return {"entries": rows, "next": after, "params": dict(params), "words": pages.audit_words}


def _filter(request: AnyRequest, pages: Pages) -> AuditFilter:
    """Of the address; an action is found by its code and by its words in the reader's language."""
    found = filter_of(query_of(request), where=_zone(request))
    if not found.action:
        return found
    translate, text = pages.translator(request).translate, found.action.casefold()
    by_words = tuple(code for code, words in pages.audit_words.items() if text in translate(words).casefold())
    return msgspec.structs.replace(found, or_actions=by_words)


def _shown(value: Any) -> str:
    return "" if value is None else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def _zone(request: AnyRequest) -> ZoneInfo:
    viewer = viewer_of(request)
    return zone((viewer.timezone if viewer else None) or zone_of(request))


def _day(params: Mapping[str, str], name: str, where: ZoneInfo, *, later: timedelta = timedelta(0)) -> datetime | None:
    text = params.get(name, "").strip()
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date() + later
        return datetime.combine(day, time(), where).astimezone(UTC)
    except (ValueError, OverflowError) as error:  # also the first and the last day that there is
        raise InvalidField(name, N_("a day is written like 2026-03-31")) from error


async def _csv(batches: AsyncIterator[list[AuditEntry]], separator: str) -> AsyncIterator[str]:
    """As spreadsheets of the reader's language open it."""
    yield _BOM + _lines([_COLUMNS], separator)
    async for batch in batches:
        yield _lines([[cell(getattr(entry, column)) for column in _COLUMNS] for entry in batch], separator)


def _lines(rows: Any, separator: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(rows)
    return out.getvalue()


ROUTES = (show_audit, show_audit_rows, export_audit)
