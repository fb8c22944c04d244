"""The JSON API of the audit log: /api/audit."""

from datetime import UTC, datetime
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromQuery, QueryParameter

from atalaia.access.api.shapes import AuditOut, Cursor, Limit, audit_out
from atalaia.access.guards import requires
from atalaia.access.model import AuditFilter
from atalaia.access.service.audit import AuditService
from atalaia.core.permissions import Permission
from atalaia.web.cursors import DEFAULT_LIMIT, Listing

From = Annotated[datetime | None, QueryParameter(name="from", description="UTC where no zone is given")]
To = Annotated[datetime | None, QueryParameter(name="to", description="UTC where no zone is given")]


@get("/api/audit", guards=[requires(Permission.AUDIT_READ)], tags=["Audit"], summary="Who did what, newest first")
async def list_audit(
    audit_service: NamedDependency[AuditService],
    *,
    from_at: From = None,
    to_at: To = None,
    cursor: Cursor = None,
    limit: Limit = DEFAULT_LIMIT,
    actor: FromQuery[str] = "",
    action: FromQuery[str] = "",
    object: FromQuery[str] = "",
) -> Listing[AuditOut]:
    filter_ = AuditFilter(actor=actor, action=action, object=object, from_at=aware(from_at), to_at=aware(to_at))
    entries, after = await audit_service.page(filter_, cursor=cursor, limit=limit)
    return Listing([audit_out(entry) for entry in entries], after)


def aware(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


ROUTES = (list_audit,)
