"""SQL on captures and their frames."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import case, delete, func, insert, select
from sqlalchemy.engine import Row

from atalaia.captures.model.captures import Capture
from atalaia.captures.model.recordings import Frame, Note
from atalaia.captures.tables import capture_frames, captures
from atalaia.sdk.transaction import Tx

_NUL = "\0"  # PostgreSQL takes none in a text, so no row has one


def add(tx: Tx, capture: Capture, *, file_sha256: bytes, frames: Sequence[Frame]) -> None:
    values = {name: getattr(capture, name) for name in capture.__struct_fields__}
    tx.execute(insert(captures).values(**values, file_sha256=file_sha256))
    tx.insert(capture_frames, [_row(capture.id, frame) for frame in frames])


def drop(tx: Tx, capture_id: str) -> None:
    tx.execute(delete(capture_frames).where(capture_frames.c.capture_id == capture_id))
    tx.execute(delete(captures).where(captures.c.id == capture_id))


def find(tx: Tx, capture_id: str) -> Capture | None:
    if _NUL in capture_id:
        return None
    row = tx.one(select(captures).where(captures.c.id == capture_id))
    return _capture(row) if row else None


def find_file(tx: Tx, *, upstream: str, file_sha256: bytes) -> Capture | None:
    row = tx.one(select(captures).where(captures.c.upstream == upstream, captures.c.file_sha256 == file_sha256))
    return _capture(row) if row else None


def page(tx: Tx, *, limit: int, before: str | None = None, upstream: str | None = None) -> list[Capture]:
    """The newest first, from past `before`."""
    statement = select(captures).order_by(captures.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(captures.c.id < before)
    if upstream is not None:
        upstream = upstream.replace(_NUL, "")
        statement = statement.where(captures.c.upstream == upstream)
    return [_capture(row) for row in tx.rows(statement)]


def search(tx: Tx, text: str, *, limit: int) -> list[Capture]:
    text = text.replace(_NUL, "")
    named = select(captures).where(captures.c.name.icontains(text, autoescape=True))
    return [_capture(row) for row in tx.rows(named.order_by(captures.c.id.desc()).limit(limit))]


def names(tx: Tx, capture_ids: Sequence[str]) -> dict[str, str]:
    rows = tx.rows(select(captures.c.id, captures.c.name).where(captures.c.id.in_(set(capture_ids))))
    return {row.id: row.name for row in rows}


def frames(
    tx: Tx, capture_id: str, *, action: str | None = None, after: int = 0, limit: int | None = None
) -> list[Frame]:
    """In the order of the recording; `action` "" stands for those that have none."""
    statement = select(capture_frames).where(capture_frames.c.capture_id == capture_id, capture_frames.c.n > after)
    if action is not None:
        action = action.replace(_NUL, "")
        statement = statement.where(capture_frames.c.action == action if action else capture_frames.c.action.is_(None))
    return [_frame(row) for row in tx.rows(statement.order_by(capture_frames.c.n).limit(limit))]


def counts(tx: Tx, capture_id: str) -> list[tuple[str | None, int, int]]:
    """(action, sent, received), in the order of first appearance."""
    column = capture_frames.c
    sent = func.sum(case((column.direction == "sent", 1), else_=0))
    statement = (
        select(column.action, sent, func.count(), func.min(column.n))
        .where(column.capture_id == capture_id)
        .group_by(column.action)
        .order_by(func.min(column.n))
    )
    rows: list[tuple[Any, ...]] = [tuple(row) for row in tx.rows(statement)]
    return [(action, int(of_sent), int(all_) - int(of_sent)) for action, of_sent, all_, _ in rows]


def _row(capture_id: str, frame: Frame) -> dict[str, Any]:
    return {
        "capture_id": capture_id,
        "n": frame.n,
        "direction": frame.direction,
        "via": frame.via,
        "address": frame.address,
        "action": frame.action,
        "flow_id": frame.flow_id,
        "at": frame.at,
        "body": frame.text.encode("utf-8", "surrogatepass"),
    }


def _frame(row: Row[Any]) -> Frame:
    return Frame(
        n=row.n,
        direction=row.direction,
        via=row.via,
        address=row.address,
        action=row.action,
        flow_id=row.flow_id,
        text=bytes(row.body).decode("utf-8", "surrogatepass"),
        at=row.at,
    )


def _capture(row: Row[Any]) -> Capture:
    return Capture(
        id=row.id,
        name=row.name,
        upstream=row.upstream,
        format=row.format,
        browser=row.browser,
        size_bytes=row.size_bytes,
        imported_at=row.imported_at,
        imported_by=row.imported_by,
        sent=row.sent,
        received=row.received,
        actions=row.actions,
        notes=msgspec.convert(row.notes, list[Note]),
    )
