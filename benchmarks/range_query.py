"""A range query, 50 series x 24 h at 30 s: from chunks, beside the same from rows in the same SQLite."""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from atalaia.core.clock import SystemClock, to_ms
from atalaia.core.settings import Settings
from atalaia.metrics.model import make_query
from atalaia.metrics.settings import SETTINGS
from atalaia.metrics.wiring import MIGRATIONS, make_service
from atalaia.outbound.http import HttpClient
from atalaia.sdk.transaction import Tx
from atalaia.store.opening import migrate_store, open_store
from atalaia.store.store import Store
from benchmarks.figures import RUNS, Figure
from benchmarks.hub import ROOT

SERIES, STEP_MS = 50, 30_000
DAY_MS = 24 * 3_600_000
TIMES, MS = 8, 30.0
NAME = "range query, 50 series x 24 h at 30 s"
ROUNDS = 5


def run() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory(dir=ROOT / "build", ignore_cleanup_errors=True) as folder:
        store = open_store(Path(folder), database_url=None)
        migrate_store(store, [MIGRATIONS])
        try:
            return [_measured(store)]
        finally:
            store.close()


def _measured(store: Store) -> Figure:
    service = make_service(store, settings=Settings(SETTINGS), clock=SystemClock(), http=_no_http)
    to = to_ms(SystemClock().now()) // STEP_MS * STEP_MS
    rows = list(_samples(to - DAY_MS))
    asyncio.run(store.write(lambda tx: service.write_samples(tx, rows)))
    asyncio.run(service.sealing.seal())
    store.write_now(lambda tx: _fill_rows(tx, rows))
    question = make_query("bench", (), from_ms=to - DAY_MS, to_ms=to, step_ms=STEP_MS, aggregation="avg")
    mine, theirs = [], []
    for _ in range(RUNS):
        mine.append(_took_ms(lambda: asyncio.run(service.query(question))))
        theirs.append(_took_ms(lambda: store.read_now(lambda tx: _query_rows(tx, to - DAY_MS, to))))
    value, floor = statistics.median(mine), statistics.median(theirs)
    met = value <= MS and floor / value >= TIMES
    note = f"{floor / value:.1f} times as fast as rows; step by step, averaged, before it is written as JSON"
    return Figure(NAME, value, "ms", floor, value / floor, f"≤ {MS:g} ms, ≥ {TIMES} times as fast", met, note)


def _samples(start_ms: int) -> list[tuple[str, dict[str, str], int, float]]:
    chance = np.random.default_rng(1)
    count = DAY_MS // STEP_MS
    found = []
    for series in range(SERIES):
        gauge = np.round(50 + np.cumsum(chance.normal(0, 0.5, count)), 2)
        counter = np.cumsum(chance.integers(0, 100, count)).astype(np.float64)
        values = (gauge if series % 2 else counter).tolist()
        labels = {"series": str(series)}
        found += [("bench", labels, start_ms + n * STEP_MS, value) for n, value in enumerate(values)]
    return found


def _fill_rows(tx: Tx, rows: Sequence[tuple[str, dict[str, str], int, float]]) -> None:
    """As one would lay them out otherwise: a row a sample, found by series and time."""
    tx.raw(
        "CREATE TABLE bench_rows (series INTEGER, at_ms INTEGER, value REAL, PRIMARY KEY (series, at_ms)) WITHOUT ROWID"
    )
    tx.raw_many(
        "INSERT INTO bench_rows VALUES (?, ?, ?)", [(int(labels["series"]), at, value) for _, labels, at, value in rows]
    )


def _query_rows(tx: Tx, from_ms: int, to_ms: int) -> dict[int, tuple[list[int], list[float]]]:
    found: dict[int, tuple[list[int], list[float]]] = {}
    for series, at_ms, value in tx.raw(
        "SELECT series, at_ms / ? * ? AS step, avg(value) FROM bench_rows WHERE at_ms >= ? AND at_ms < ?"
        " GROUP BY series, step ORDER BY series, step",
        (STEP_MS, STEP_MS, from_ms, to_ms),
    ):
        times, values = found.setdefault(series, ([], []))
        times.append(at_ms)
        values.append(value)
    return found


def _took_ms(work: Callable[[], object]) -> float:
    """The best of a few: what else runs on the machine only adds."""
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best * 1000


def _no_http() -> HttpClient:
    raise AssertionError("nothing is sent here")
