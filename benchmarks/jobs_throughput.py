"""Jobs leased and completed per second over HTTP, with no-op work: one hub core, 16 workers, batches of 1, 10 and 100.

Each job is leased, told done and durable (SQLite: synchronous=FULL; PostgreSQL: fsync on) before it counts. wrk drives 16
connections: each answer with leases is followed by a completion of all of them. Beside: the bare server's requests/s.
"""

import contextlib
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers import free_port, is_listening, postgresql, running, wait_until

from benchmarks.figures import SERVER_CORE, Figure, skipped
from benchmarks.hub import ROOT, BenchHub, running_hub
from benchmarks.load import has_wrk, write_echo, wrk
from benchmarks.peers.beside import peers_rates

WORKERS = 16
RUNS = 3
SECONDS = 3
# A second's work more than the target, for each second.
AHEAD = {1: 6_000, 10: 30_000, 100: 45_000}
TARGETS = {("SQLite", 1): 3_500, ("SQLite", 10): 25_000, ("PostgreSQL", 10): 10_000}

_WORKER = """
local batch = BATCH
local headers = {["Authorization"] = "Bearer KEY", ["Content-Type"] = "application/json"}
local lease = wrk.format("POST", "/api/leases", headers,
  '{"worker_id":"bench","incarnation":"1","types":["noop"],"max":' .. batch .. ',"wait_s":0,"ttl_s":60}')
local waiting, first, last = {}, 1, 0
request = function()
  if first > last then return lease end
  local body = waiting[first]
  waiting[first] = nil
  first = first + 1
  return wrk.format("POST", "/api/leases/complete", headers, body)
end
response = function(status, _, body)
  if status ~= 200 or not body:find('"jobs":[', 1, true) then return end
  local items = {}
  for id, token in body:gmatch('"id":"([^"]+)".-"token":"([^"]+)"') do
    items[#items + 1] = '{"id":"' .. id .. '","token":"' .. token .. '","outcome":"succeeded"}'
  end
  last = last + 1
  waiting[last] = '{"worker_id":"bench","items":[' .. table.concat(items, ",") .. "]}"
end
"""


def run() -> Sequence[Figure]:
    if not has_wrk():
        return [skipped("jobs leased and completed", "jobs/s", "wrk is not installed")]
    echo = _echo_per_s()
    figures = []
    with running_hub() as hub:
        figures += [_measure(hub, "SQLite", batch, echo) for batch in (1, 10, 100)]
    with _durable_postgresql() as url:
        if url is None:
            figures.append(skipped("jobs, PostgreSQL", "jobs/s", "PostgreSQL is not installed"))
        else:
            with running_hub(database_url=url) as hub:
                figures += [_measure(hub, "PostgreSQL", batch, echo) for batch in (1, 10, 100)]
    return [*figures, *peers_rates()]


def _measure(hub: BenchHub, engine: str, batch: int, echo: float) -> Figure:
    rates = [_rate(hub, batch) for _ in range(RUNS)]
    value, target = statistics.median(rates), TARGETS.get((engine, batch))
    name = f"jobs leased and completed, {engine}, batches of {batch}"
    shown = "" if target is None else f"≥ {target:,}/s"
    met = None if target is None else value >= target
    return Figure(
        name, value, "jobs/s", echo, value / echo, shown, met, f"median of {RUNS} runs; beside: bare requests/s"
    )


def _rate(hub: BenchHub, batch: int) -> float:
    fill(hub, max(0, AHEAD[batch] * SECONDS - _counts(hub)[0]))
    before = count_done(hub)
    drive(hub, batch, seconds=SECONDS)
    return (count_done(hub) - before) / SECONDS


def drive(hub: BenchHub, batch: int, *, seconds: int) -> None:
    """16 workers that lease and complete `batch` jobs at a time."""
    script = _WORKER.replace("KEY", hub.key).replace("BATCH", str(batch))
    wrk(hub.url, script=script, connections=WORKERS, seconds=seconds)


def fill(hub: BenchHub, count: int) -> None:
    item = {"type": "noop", "payload": {"n": 1}}
    for start in range(0, count, 1000):
        hub.call("POST", "/api/jobs/bulk", {"items": [item] * min(1000, count - start)})


def count_done(hub: BenchHub) -> int:
    return _counts(hub)[1]


def _counts(hub: BenchHub) -> tuple[int, int]:
    """Jobs that were made and not yet done, and jobs done."""
    page = hub.text("/metrics")
    done = _value(page, "succeeded")
    return _value(page, "created") - done, done


def _value(page: str, label: str) -> int:
    for line in page.splitlines():
        if line.startswith("atalaia_jobs_total{") and f'outcome="{label}"' in line and 'type="noop"' in line:
            return round(float(line.rpartition(" ")[2]))
    return 0


def _echo_per_s() -> float:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        write_echo(Path(folder))
        command = ["taskset", "-c", str(SERVER_CORE), str(ROOT / ".venv/bin/uvicorn"), "echo_app:app"]
        command += ["--app-dir", folder, "--port", str(port), "--loop", "uvloop", "--http", "httptools"]
        command += ["--no-access-log", "--log-level", "error"]
        with running(command, stdout=subprocess.DEVNULL):
            wait_until(lambda: is_listening(port), what="the echo server")
            return wrk(f"http://127.0.0.1:{port}/", connections=WORKERS, seconds=SECONDS).per_s


@contextlib.contextmanager
def _durable_postgresql() -> Iterator[str | None]:
    with tempfile.TemporaryDirectory(prefix="atalaia-pg-", ignore_cleanup_errors=True) as name:
        try:
            with postgresql(Path(name), is_durable=True) as url:
                yield url
        except FileNotFoundError:
            yield None
