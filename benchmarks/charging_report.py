"""A month's reports of 200 flats with 3,000 sessions: from the order until all 402 papers are committed, and what the loop feels of it.

The longest pause is that of an answer to a question of next to nothing (`/health/live`), asked every 5 ms from another core;
beside it the same of the time before. The papers are drawn by a process of the hub's own, with its priority lowered.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection

from tests.charging_house import House
from tests.servers import wait_until

from atalaia.cli.stores import opened_store
from benchmarks.figures import Figure, percentile
from benchmarks.hub import BenchHub, running_hub

FLATS, SESSIONS = 200, 3000
PAPERS = 2 * (FLATS + 1)
MOST_S, MOST_PAUSE_MS = 20.0, 100.0
QUIET_S, EACH_S = 5.0, 0.005
NAME = f"monthly report, {FLATS} flats, {SESSIONS} sessions"
_ENDED = {"completed", "error", "cancelled"}


def run() -> Sequence[Figure]:
    with running_hub() as hub:
        with opened_store(hub.data_dir, None) as store:
            store.write_now(House(FLATS, SESSIONS).furnish)
        with probing(hub) as before:
            time.sleep(QUIET_S)
        with probing(hub) as during:
            began = time.monotonic()
            _make(hub)
            took_s = time.monotonic() - began
    quiet_ms, busy_ms = max(before) * 1000, max(during) * 1000
    p99 = f"p99 {percentile(before, 0.99) * 1000:.1f} ms before, {percentile(during, 0.99) * 1000:.1f} ms during"
    return [
        Figure(
            NAME,
            round(took_s, 1),
            "s",
            target=f"< {MOST_S:.0f}",
            met=took_s < MOST_S,
            note=f"{PAPERS} papers, PDF and XLSX, one commit",
        ),
        Figure(
            "the same, longest pause of the loop",
            round(busy_ms, 1),
            "ms",
            floor=round(quiet_ms, 1),
            ratio=round(busy_ms / quiet_ms, 1),
            target=f"< {MOST_PAUSE_MS:.0f}",
            met=busy_ms < MOST_PAUSE_MS,
            note=p99,
        ),
    ]


def _make(hub: BenchHub) -> None:
    job_id = hub.call("POST", "/api/cvepro/reports", {"month": "2026-10"})["job_id"]
    wait_until(lambda: _status(hub, job_id) in _ENDED, what="the reports", timeout_s=120)
    job = hub.call("GET", f"/api/jobs/{job_id}")
    if job["status"] != "completed" or job["result"]["papers"] != PAPERS:
        raise RuntimeError(f"the job ended as {job['status']}: {job['error']} {job['result']}")


def _status(hub: BenchHub, job_id: str) -> str:
    return str(hub.call("GET", f"/api/jobs/{job_id}")["status"])


@contextmanager
def probing(hub: BenchHub) -> Iterator[list[float]]:
    """How long each answer takes, in seconds, while the block runs."""
    took: list[float] = []
    is_over = threading.Event()

    def ask() -> None:
        connection = HTTPConnection("127.0.0.1", hub.port, timeout=30)
        while not is_over.wait(EACH_S):
            began = time.perf_counter()
            connection.request("GET", "/health/live")
            connection.getresponse().read()
            took.append(time.perf_counter() - began)
        connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield took
    finally:
        is_over.set()
        asking.join()
