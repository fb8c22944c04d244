"""The overview with 500 checks and 20 agents at 20 requests/s, while 2,000 pings/s come in."""

import os
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection

from benchmarks.figures import LOAD_CORE, Figure, percentile
from benchmarks.hub import BenchHub, running_hub
from benchmarks.many_checks import FakeAgent
from benchmarks.people import signed_in_cookie

CHECKS, AGENTS = 500, 20
PER_S, SECONDS = 20, 8
PINGS_PER_S = 2000
P99_MS = 50.0
TARGET = f"p99 ≤ {P99_MS:g} ms"

# A process of its own, so that the load doesn't share an interpreter with what it measures.
_PINGER = """
import json, sys, threading, time, uuid
from http.client import HTTPConnection
port, key, per_s, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
THREADS = 8
def drive():
    c = HTTPConnection("127.0.0.1", port)
    h = {"X-API-Key": key, "Content-Type": "application/json"}
    start, n = time.monotonic(), 0
    while time.monotonic() - start < seconds:
        b = json.dumps({"timestamp_start": "2026-01-02T03:04:05.678Z", "ping_id": str(uuid.uuid4()),
                        "source": {"location": "sp", "datacenter": "d", "country": "BR"}})
        c.request("POST", "/api/ping", b, h); c.getresponse().read(); n += 1
        time.sleep(max(0.0, start + n * THREADS / per_s - time.monotonic()))
    done.append(n)
done = []
ts = [threading.Thread(target=drive) for _ in range(THREADS)]
[t.start() for t in ts]; [t.join() for t in ts]
print(sum(done) / seconds)
"""


def run() -> Sequence[Figure]:
    everywhere = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})  # the readers are threads of this process
    try:
        return _measure()
    finally:
        os.sched_setaffinity(0, everywhere)


def _measure() -> Sequence[Figure]:
    with running_hub() as hub:
        _fill(hub)
        cookie = signed_in_cookie(hub)
        body = _get(hub, "/", cookie)[1].decode()
        size, style = len(body), re.search(r'href="(/static/[^"]+\.css)"', body)
        pages, pings = [], []
        for _ in range(3):
            with _pinging(hub) as pinger:
                pages.append(_times_ms(hub, "/", cookie))
                pings.append(float(pinger.communicate()[0]))
        static = _times_ms(hub, style[1] if style else "/favicon.ico", cookie)
    p99 = statistics.median(percentile(run, 0.99) for run in pages)
    floor = percentile(static, 0.99)
    median = statistics.median(value for run in pages for value in run)
    note = (
        f"median {median:.1f} ms, {size / 1000:.0f} KB, with {statistics.median(pings):.0f} pings/s; median of 3 runs"
    )
    return [Figure("overview page, 500 checks", p99, "ms p99", floor, p99 / floor, TARGET, p99 <= P99_MS, note)]


def _fill(hub: BenchHub) -> None:
    """Every check has been measured, and is up."""
    agents = [FakeAgent(hub, number) for number in range(AGENTS)]
    for number in range(CHECKS):
        agent = agents[number % AGENTS]
        target = f"http://127.0.0.1:9/{number}"
        spec = {
            "name": f"check {number:03}",
            "kind": "http",
            "target": target,
            "interval_s": 60,
            "agents": [agent.agent_id],
        }
        agent.checks.append(hub.call("POST", "/api/checks", spec)["id"])
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=30)
    for agent in agents:
        agent.send(connection, 0, 1)


def _pinging(hub: BenchHub) -> "subprocess.Popen[str]":
    command = [
        "taskset",
        "-c",
        str(LOAD_CORE),
        sys.executable,
        "-c",
        _PINGER,
        str(hub.port),
        hub.key,
        str(PINGS_PER_S),
        str(SECONDS),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _get(hub: BenchHub, path: str, cookie: str, connection: HTTPConnection | None = None) -> tuple[int, bytes]:
    connection = connection or HTTPConnection("127.0.0.1", hub.port, timeout=30)
    connection.request("GET", path, headers={"Cookie": cookie, "Accept": "text/html"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    return answer.status, body


def _times_ms(hub: BenchHub, path: str, cookie: str) -> list[float]:
    """PER_S a second, each sent when it is due, whether or not the last was answered."""
    found: list[float] = []

    def one() -> None:
        started = time.perf_counter()
        _get(hub, path, cookie)
        found.append((time.perf_counter() - started) * 1000)

    started, threads = time.monotonic(), []
    for number in range(PER_S * (SECONDS - 1)):
        time.sleep(max(0.0, started + number / PER_S - time.monotonic()))
        thread = threading.Thread(target=one)
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return found
