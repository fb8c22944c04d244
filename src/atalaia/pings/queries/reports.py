"""SQL on what agents reported of their pings, and on counts."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select

from atalaia.pings.model import Report, Source
from atalaia.pings.tables import ping_counts, ping_reports, ping_sources
from atalaia.sdk.transaction import Tx

MINUTE_MS = 60_000


class ReportRow(NamedTuple):
    source_id: int
    target: str
    at_ms: int
    outcome: str
    rtt_ms: float | None
    connect_ms: float | None


_ADD = "INSERT INTO ping_reports (source_id, target, at, outcome, rtt_ms, connect_ms) VALUES (?, ?, ?, ?, ?, ?)"


def add(tx: Tx, rows: Sequence[ReportRow]) -> None:
    tx.raw_many(_ADD, rows)


def sources(tx: Tx) -> dict[int, Source]:
    rows = tx.rows(select(ping_sources))
    return {row.id: Source(row.location, row.datacenter, row.country) for row in rows}


def counts(tx: Tx, *, since_ms: int) -> dict[int, int]:
    """Pings received, by source; whole minutes."""
    statement = (
        select(ping_counts.c.source_id, func.sum(ping_counts.c.count).label("total"))
        .where(ping_counts.c.minute >= since_ms // MINUTE_MS)
        .group_by(ping_counts.c.source_id)
    )
    return {row.source_id: int(row.total) for row in tx.rows(statement)}


_REPORTS = (
    "SELECT target, at, outcome, rtt_ms, connect_ms FROM ping_reports WHERE source_id = ? AND at >= ? ORDER BY at, id"
)


def of_source(tx: Tx, source_id: int, *, since_ms: int) -> dict[str, list[Report]]:
    """By target, in order of time."""
    found: dict[str, list[Report]] = {}
    for target, *rest in tx.raw(_REPORTS, (source_id, since_ms)):
        found.setdefault(target, []).append(Report(*rest))
    return found


def drop_old(tx: Tx, *, before_ms: int, limit: int) -> int:
    oldest = select(ping_reports.c.id).where(ping_reports.c.at < before_ms).limit(limit)
    return tx.execute(delete(ping_reports).where(ping_reports.c.id.in_(oldest)))


def drop_old_counts(tx: Tx, *, before_ms: int) -> int:
    return tx.execute(delete(ping_counts).where(ping_counts.c.minute < before_ms // MINUTE_MS))
