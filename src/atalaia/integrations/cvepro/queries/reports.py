"""SQL on reports. Drafts of a run that is under way are seen by nobody but that run."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, insert, select, union_all, update

from atalaia.integrations.cvepro.model.reports import Format, Report, ReportOrder, Which
from atalaia.integrations.cvepro.tables import report_orders, reports, residents, sessions
from atalaia.sdk.transaction import Tx

_FIELDS: Final = tuple(Report.__struct_fields__)
_COLUMNS: Final = [reports.c[name] for name in _FIELDS]
_SHOWN: Final = reports.c.draft.is_(None)
_MOST_MONTHS: Final = 240
_AT_ONCE: Final = 500  # ids in one question: SQLite takes no more than 32,766


def add(tx: Tx, report: Report, *, draft: str | None = None) -> None:
    values = {name: getattr(report, name) for name in _FIELDS} | {"holders": list(report.holders)}
    tx.execute(insert(reports).values(**values, draft=draft))


def find(tx: Tx, id: str) -> Report | None:
    row = tx.one(select(*_COLUMNS).where(reports.c.id == id, _SHOWN))
    return None if row is None else _report(row)


def of_month(tx: Tx, month: str) -> list[Report]:
    question = select(*_COLUMNS).where(reports.c.month == month, _SHOWN).order_by(reports.c.id)
    return [_report(row) for row in tx.rows(question)]


def of_flat(tx: Tx, flat: str, *, since_month: str = "") -> list[Report]:
    """Newest month first."""
    c = reports.c
    question = select(*_COLUMNS).where(c.flat == flat, c.month >= since_month, _SHOWN)
    return [_report(row) for row in tx.rows(question.order_by(c.month.desc(), c.id))]


def page(
    tx: Tx, *, month: str | None = None, flat: str | None = None, limit: int, after: str | None = None
) -> list[Report]:
    """Newest first; one more than `limit` where there is a next page."""
    c = reports.c
    wanted: list[ColumnElement[bool]] = [_SHOWN]
    wanted += [c.month == month] if month else []
    wanted += [c.flat == flat] if flat else []
    wanted += [c.id < after] if after else []
    return [_report(row) for row in tx.rows(select(*_COLUMNS).where(*wanted).order_by(c.id.desc()).limit(limit + 1))]


def months(tx: Tx) -> list[tuple[str, int]]:
    """That have reports, newest first, with how many."""
    c = reports.c
    question = select(c.month, func.count().label("number")).where(_SHOWN).group_by(c.month)
    return [(row.month, int(row.number)) for row in tx.rows(question.order_by(c.month.desc()).limit(_MOST_MONTHS))]


def is_flat(tx: Tx, flat: str) -> bool:
    """Whether somebody lives or has charged there."""
    known = union_all(
        select(residents.c.flat).where(residents.c.flat == flat), select(sessions.c.flat).where(sessions.c.flat == flat)
    )
    return tx.one(known.limit(1)) is not None


def made_of(tx: Tx, month: str, which: Which, flat: str | None) -> list[Report]:
    """What an order replaces: made ones, never what people brought."""
    c = reports.c
    wanted: list[ColumnElement[bool]] = [c.month == month, c.job_id.is_not(None), _SHOWN]
    if which is not Which.ALL:
        wanted.append(c.flat.is_(None) if which is Which.WHOLE else c.flat == flat)
    return [_report(row) for row in tx.rows(select(*_COLUMNS).where(*wanted))]


def hide(tx: Tx, found: Iterable[Report], *, draft: str) -> None:
    """As if they were drafts, that nobody sees, until they are dropped."""
    for some in _batched(each.id for each in found):
        tx.execute(update(reports).where(reports.c.id.in_(some)).values(draft=draft))


def drafts(tx: Tx, *, month: str | None = None, before: datetime | None = None, limit: int) -> list[Report]:
    """Of runs that came to no end, and what was replaced; of a month, or older than that instant."""
    c = reports.c
    wanted: list[ColumnElement[bool]] = [c.draft.is_not(None)]
    wanted += [c.month == month] if month is not None else []
    wanted += [c.created_at < before] if before is not None else []
    return [_report(row) for row in tx.rows(select(*_COLUMNS).where(*wanted).limit(limit))]


def of_draft(tx: Tx, draft: str) -> list[Report]:
    return [_report(row) for row in tx.rows(select(*_COLUMNS).where(reports.c.draft == draft))]


def show_drafts(tx: Tx, draft: str) -> int:
    """How many there were."""
    return tx.execute(update(reports).where(reports.c.draft == draft).values(draft=None))


def drop(tx: Tx, ids: Iterable[str]) -> None:
    for some in _batched(ids):
        tx.execute(delete(reports).where(reports.c.id.in_(some)))


def _batched(ids: Iterable[str]) -> Iterator[list[str]]:
    every = list(ids)
    return (every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE))


def add_order(tx: Tx, job_id: str, order: ReportOrder, *, is_scheduled: bool, by: str, now: datetime) -> None:
    """Once a job: what the schedule asked for too stays the schedule's."""
    row: dict[str, Any] = {"job_id": job_id, "month": order.month, "which": str(order.which), "flat": order.flat}
    row |= {"is_scheduled": is_scheduled, "created_by": by, "created_at": now}
    tx.upsert(report_orders, [row], key=["job_id"], update=["is_scheduled"] if is_scheduled else [])


def orderer(tx: Tx, job_id: str) -> str | None:
    """The name of who asked for it."""
    found: str | None = tx.value(select(report_orders.c.created_by).where(report_orders.c.job_id == job_id))
    return found


def newest_orders(tx: Tx, *, since: datetime, limit: int) -> Sequence[Any]:
    """Newest first."""
    c = report_orders.c
    return tx.rows(select(report_orders).where(c.created_at >= since).order_by(c.created_at.desc()).limit(limit))


def is_scheduled(tx: Tx, month: str) -> bool:
    """Whether the schedule has asked for that month's already."""
    c = report_orders.c
    return tx.one(select(c.job_id).where(c.month == month, c.is_scheduled)) is not None


def forget_orders(tx: Tx, *, before: datetime) -> None:
    """Those of people: that the schedule asked for a month is never forgotten."""
    c = report_orders.c
    tx.execute(delete(report_orders).where(c.created_at < before, c.is_scheduled.is_(False)))


def _report(row: Any) -> Report:
    return Report(**{**row._asdict(), "format": Format(row.format), "holders": tuple(row.holders)})
