"""SQL on frame templates: versions, and which of them is in force."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import and_, func, insert, select
from sqlalchemy.engine import Row

from atalaia.captures.model.templates import ActionVersion
from atalaia.captures.tables import active_frame_templates, frame_templates
from atalaia.sdk.fidelity import Template
from atalaia.sdk.transaction import Tx


def hold(tx: Tx) -> None:
    """Until the end of the transaction nobody else makes a version; on SQLite there is one writer anyway."""
    if tx.dialect == "postgresql":
        tx.raw("LOCK TABLE frame_templates IN SHARE ROW EXCLUSIVE MODE")


def add(tx: Tx, version: ActionVersion) -> None:
    values = {name: getattr(version, name) for name in version.__struct_fields__}
    tx.execute(insert(frame_templates).values(**values))


def latest_version(tx: Tx, upstream: str, action: str) -> int:
    """0 where there is none."""
    column = frame_templates.c
    largest = select(func.max(column.version)).where(column.upstream == upstream, column.action == action)
    return int(tx.value(largest) or 0)


def find(tx: Tx, upstream: str, action: str, *, version: int) -> ActionVersion | None:
    column = frame_templates.c
    row = tx.one(
        select(frame_templates).where(column.upstream == upstream, column.action == action, column.version == version)
    )
    return _version(row) if row else None


def history(tx: Tx, upstream: str, action: str) -> list[ActionVersion]:
    """The newest first."""
    column = frame_templates.c
    rows = select(frame_templates).where(column.upstream == upstream, column.action == action)
    return [_version(row) for row in tx.rows(rows.order_by(column.version.desc()))]


def of_capture(tx: Tx, capture_id: str) -> list[tuple[str, int]]:
    """(action, version) that a capture made."""
    column = frame_templates.c
    rows = tx.rows(select(column.action, column.version).where(column.capture_id == capture_id).order_by(column.action))
    return [(row.action, row.version) for row in rows]


def upstreams(tx: Tx) -> list[str]:
    rows = tx.rows(select(active_frame_templates.c.upstream).distinct())
    return sorted(row.upstream for row in rows)


def chosen(tx: Tx, upstream: str) -> dict[str, int]:
    """By action the version in force; 0 is the built-in one."""
    column = active_frame_templates.c
    rows = tx.rows(select(column.action, column.version).where(column.upstream == upstream))
    return {row.action: row.version for row in rows}


def active(tx: Tx, upstream: str) -> list[ActionVersion]:
    """Those in force that a capture made, by action."""
    here, that = active_frame_templates.c, frame_templates.c
    is_chosen = and_(here.upstream == that.upstream, here.action == that.action, here.version == that.version)
    joined = frame_templates.join(active_frame_templates, is_chosen)
    rows = select(frame_templates).select_from(joined).where(here.upstream == upstream).order_by(that.action)
    return [_version(row) for row in tx.rows(rows)]


def choose(tx: Tx, *, upstream: str, actions: Sequence[tuple[str, int]], by: str, now: datetime) -> None:
    rows = [
        {"upstream": upstream, "action": action, "version": version, "chosen_at": now, "chosen_by": by}
        for action, version in sorted(actions)
    ]
    key, update = ("upstream", "action"), ("version", "chosen_at", "chosen_by")
    tx.upsert(active_frame_templates, rows, key=key, update=update)


def _version(row: Row[Any]) -> ActionVersion:
    return ActionVersion(
        upstream=row.upstream,
        action=row.action,
        version=row.version,
        templates=msgspec.convert(row.templates, tuple[Template, ...]),
        capture_id=row.capture_id,
        made_at=row.made_at,
        made_by=row.made_by,
    )
