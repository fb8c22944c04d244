"""PostgreSQL over many jobs while one long-running reader is open: does the queue slow down, and does it grow for ever?

BENCH_JOBS says how many (100,000; the promise is of 1,000,000). Throughput of the last two fifths beside the first two;
then the reader ends, a vacuum runs, and a fifth as many again must find room in what the first part of them took.

The workers that wrk plays throw away what they hold when a drive ends, and it comes back a minute later; so a part is over when
nearly all of it is done, and what is left is a part of the next.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psycopg
from tests.servers import postgresql

from benchmarks.figures import Figure, skipped
from benchmarks.hub import BenchHub, running_hub
from benchmarks.jobs_throughput import count_done, drive, fill
from benchmarks.load import has_wrk

JOBS = int(os.environ.get("BENCH_JOBS", "100000"))
PARTS = 5
MOST_FALL = 0.2
NEARLY = 0.95
SLOWEST_PER_S = 100


def run() -> Sequence[Figure]:
    name = f"jobs on PostgreSQL, {JOBS:,} beside one long reader"
    if not has_wrk():
        return [skipped(name, "jobs/s", "wrk is not installed")]
    with tempfile.TemporaryDirectory(prefix="atalaia-pg-", ignore_cleanup_errors=True) as folder:
        try:
            with postgresql(Path(folder), is_durable=True) as url, running_hub(database_url=url) as hub:
                return _measure(hub, url, name)
        except FileNotFoundError:
            return [skipped(name, "jobs/s", "PostgreSQL is not installed")]


def _measure(hub: BenchHub, url: str, name: str) -> list[Figure]:
    _part(hub, JOBS // PARTS**2)  # warm
    with psycopg.connect(url) as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT count(*) FROM job_queue")
        rates = [_part(hub, JOBS // PARTS) for _ in range(PARTS)]
    first, last = statistics.mean(rates[:2]), statistics.mean(rates[-2:])
    fall = 1 - last / first
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM job_queue")
        # A vacuum gives the empty end of the table back, and what waits needs its room again: each part is seen at its end.
        sizes = []
        for _ in range(PARTS):
            _part(hub, JOBS // PARTS**2)
            sizes.append(_size(connection))
            connection.execute("VACUUM job_queue")
        grown = sizes[-1] / sizes[0]
    note = f"throughput fell by {fall:.0%} from the first two fifths to the last two"
    return [
        Figure(name, last, "jobs/s", first, last / first, "falls under 20 %", fall < MOST_FALL, note),
        Figure(
            "the queue's size, last fifth beside the first after a vacuum",
            grown,
            "times",
            target="≤ 1.05",
            met=grown <= 1.05,
        ),
    ]


def _part(hub: BenchHub, count: int) -> float:
    """Jobs a second over a part of all."""
    fill(hub, count)
    done, began = count_done(hub), time.monotonic()
    wanted, until = done + round(count * NEARLY), began + count / SLOWEST_PER_S
    while (left := wanted - count_done(hub)) > 0 and time.monotonic() < until:
        drive(hub, 100 if left > 5_000 else 10, seconds=min(10, max(1, left // 8_000)))
    return (count_done(hub) - done) / (time.monotonic() - began)


def _size(connection: psycopg.Connection) -> int:
    row = connection.execute("SELECT pg_total_relation_size('job_queue')").fetchone()
    assert row is not None
    return int(row[0])
