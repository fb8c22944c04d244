"""Chunks that can't be decoded: set aside as they are, told as an incident, and in nobody's way."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from atalaia.core.translations import N_
from atalaia.metrics.queries import samples as queries
from atalaia.metrics.queries import series as series_queries
from atalaia.metrics.queries.samples import ChunkRow
from atalaia.sdk.faults import FaultReport, FaultReported
from atalaia.sdk.transaction import Tx

_RUNBOOK: Final = N_(
    "Samples of two hours of one series can't be read. They stand in the table metrics_damaged as they were found; what comes"
    " in is kept as before. Check the disk and the database, and compare with a backup."
)

log = structlog.get_logger()


def set_aside(tx: Tx, rows: Sequence[ChunkRow], *, now: datetime) -> None:
    """Keep the bytes of these chunks apart. What becomes of the chunks themselves is the caller's affair."""
    if not rows:
        return
    queries.keep_damaged(tx, rows, now=now)
    names = {each.id: each.series.name for each in series_queries.by_ids(tx, {row.series_id for row in rows})}
    for row in rows:
        name = names.get(row.series_id, str(row.series_id))
        log.error("chunk_damaged", series=name, series_id=row.series_id, span=row.span)
        fault = FaultReport(
            key=str(row.series_id),
            title=N_("Stored samples are damaged"),
            name=name,
            severity="warning",
            runbook=_RUNBOOK,
        )
        tx.emit(FaultReported(subject=f"metrics:damaged:{row.series_id}", fault=fault))
