"""Bytes a sample on disk: 1,000 series x 2,000 samples 15 s apart, through the front door, all of the database counted."""

import math
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import urlopen

from tests.servers import find_binary, wait_until

from benchmarks.figures import Figure
from benchmarks.hub import ROOT, BenchHub, running_hub
from benchmarks.samples_in import running_victoria

SERIES, SAMPLES, STEP_MS = 1_000, 2_000, 15_000
TARGET = 2.0
NAME = "bytes a sample on disk"
_LINES_A_BODY = 20_000


def run() -> Sequence[Figure]:
    start_ms = (int(time.time()) - SAMPLES * STEP_MS // 1000) * 1000
    bodies = list(_bodies(start_ms))
    with running_hub(arguments=[]) as hub:
        size = _of_hub(hub, bodies)
    floor = _of_victoria(bodies)
    note = "tables and indexes of samples, as the file grew; whatever else the hub stores is not in it"
    note += "; beside: VictoriaMetrics" if floor else "; VictoriaMetrics is not installed"
    return [Figure(NAME, size, "bytes", floor, size / floor if floor else None, f"≤ {TARGET:g}", size <= TARGET, note)]


def _bodies(start_ms: int) -> Iterator[bytes]:
    """Half gauges with two decimals (random walk), a third counters, the rest 0 or 1."""
    chance = random.Random(1)
    gauges, counters = SERIES // 2, SERIES // 3
    values = [50.0] * gauges + [0.0] * (SERIES - gauges)
    lines: list[str] = []
    for n in range(SAMPLES):
        at_ms = start_ms + n * STEP_MS
        for series in range(SERIES):
            if series < gauges:
                values[series] = round(values[series] + chance.gauss(0, 0.5), 2)
            elif series < gauges + counters:
                values[series] += chance.randrange(100)
            else:
                values[series] = chance.randrange(2)
            lines.append(f'bench_value{{series="{series}"}} {values[series]:.10g} {at_ms}\n')
            if len(lines) == _LINES_A_BODY:
                yield "".join(lines).encode()
                lines.clear()
    if lines:
        yield "".join(lines).encode()


def _send(port: int, key: str, bodies: Sequence[bytes]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for body in bodies:
        headers = {"X-API-Key": key, "Content-Type": "text/plain"}
        connection.request("POST", "/api/v1/import/prometheus", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 204:
            raise RuntimeError(f"import: {answer.status} {said[:300]!r}")
    connection.close()


def _of_hub(hub: BenchHub, bodies: Sequence[bytes]) -> float:
    _send(hub.port, hub.key, bodies)
    with sqlite3.connect(f"file:{hub.data_dir / 'atalaia.db'}?mode=ro", uri=True) as database:
        # The log holds the hub's own few as well; what matters is that the many are chunks.
        wait_until(lambda: _waiting(database) < SERIES * SAMPLES // 100, what="sealing", timeout_s=120)
        rows = database.execute(
            "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'metrics_chunks%' OR name LIKE 'ix_metrics_chunks%'"
            " OR name LIKE 'sqlite_autoindex_metrics_chunks%' OR name LIKE 'metrics_series%'"
            " OR name LIKE 'ix_metrics_series%' OR name LIKE 'sqlite_autoindex_metrics_series%' OR name = 'metrics_postings'"
        ).fetchall()
    return float(rows[0][0]) / (SERIES * SAMPLES)


def _waiting(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT coalesce(sum(samples), 0) FROM metrics_log").fetchone()[0])


def _of_victoria(bodies: Sequence[bytes]) -> float | None:
    if find_binary("victoria-metrics") is None:
        return None
    with tempfile.TemporaryDirectory(dir=ROOT / "build", ignore_cleanup_errors=True) as folder:
        with running_victoria(Path(folder)) as url:
            _send(int(url.rpartition(":")[2]), "", bodies)
            with urlopen(f"{url}/internal/force_flush", timeout=30), urlopen(f"{url}/internal/force_merge", timeout=30):
                time.sleep(3)
        data = sum(path.stat().st_size for path in (Path(folder) / "data").rglob("*") if path.is_file())
    return data / (SERIES * SAMPLES) if math.isfinite(data) else None
