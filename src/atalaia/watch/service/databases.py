"""Results of database probes as the metrics that /metrics shows: a gauge, a histogram and a counter by kind of database."""

from collections.abc import Mapping
from typing import Protocol

from atalaia.agents.events import RecordsReceived
from atalaia.agents.model.wire import Result
from atalaia.watch.model.checks import CheckKind
from atalaia.watch.model.values import Watched

DATABASES = frozenset({CheckKind.POSTGRESQL, CheckKind.MYSQL})
_SECOND_MS = 1000.0


class DatabaseMeter(Protocol):
    """See metrics.own.OwnMetrics."""

    def database_probed(self, db_type: str, *, is_available: bool, error_type: str | None = None) -> None: ...

    def database_timed(self, db_type: str, operation: str, *, status: str, seconds: float) -> None: ...


def database_results(batch: RecordsReceived, watched: Mapping[str, Watched]) -> list[tuple[str, Result]]:
    """(db_type, result) of each database probe of a batch."""
    return [
        (str(check.kind), result)
        for result in batch.results
        if (check := watched.get(result.probe)) is not None and check.kind in DATABASES
    ]


def meter_databases(meter: DatabaseMeter, results: list[tuple[str, Result]]) -> None:
    """Count and time them; after the commit, since what is counted can't be taken back."""
    for db_type, result in results:
        status = "success" if result.ok else "error"
        meter.database_probed(db_type, is_available=result.ok, error_type=None if result.ok else _error_type(result))
        for operation in ("connect", "query"):
            spent_ms = (result.phases or {}).get(operation)
            if spent_ms is not None:
                meter.database_timed(db_type, operation, status=status, seconds=spent_ms / _SECOND_MS)


def _error_type(result: Result) -> str:
    return result.error or result.outcome
