"""Durable pings: key checked, decided, committed with synchronous=FULL, then answered; 64 connections."""

import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.servers import free_port, is_listening, running, wait_until

from benchmarks.figures import RUNS, SERVER_CORE, Figure, skipped
from benchmarks.hub import ROOT, BenchHub, running_hub
from benchmarks.load import Load, has_wrk, write_echo, wrk

RATIO, P99_MS = 0.35, 10.0
TARGET = f"≥ {RATIO} of the echo, p99 ≤ {P99_MS:g} ms"
SECONDS = 4

_COLLECTOR = """
local n = 0
local seed = math.random(0, 0xffff)
init = function() math.randomseed(os.time()); seed = math.random(0, 0x7fffffff) end
request = function()
  n = n + 1
  local id = string.format("%08x-0000-4000-8000-%012x", seed, n)
  local body = '{"timestamp_start":"2026-01-02T03:04:05.678Z","ping_id":"' .. id .. '",' ..
    '"source":{"location":"sp","datacenter":"dc1","country":"BR"}}'
  return wrk.format("POST", "/api/ping", {["X-API-Key"] = "KEY", ["Content-Type"] = "application/json"}, body)
end
"""


def run() -> Sequence[Figure]:
    if not has_wrk():
        return [skipped("durable pings", "requests/s", "wrk is not installed", target=TARGET)]
    with tempfile.TemporaryDirectory() as folder, running_hub() as hub:
        port = free_port()
        command = [
            "taskset",
            "-c",
            str(SERVER_CORE),
            str(ROOT / ".venv/bin/uvicorn"),
            "echo_app:app",
            "--app-dir",
            folder,
        ]
        command += [
            "--port",
            str(port),
            "--loop",
            "uvloop",
            "--http",
            "httptools",
            "--no-access-log",
            "--log-level",
            "error",
        ]
        write_echo(Path(folder))
        with running(command, stdout=subprocess.DEVNULL):
            echo_url = f"http://127.0.0.1:{port}/"
            wait_until(lambda: is_listening(port), what="the echo server")
            return [
                _measure("durable pings: POST /api/ping", lambda: _collector(hub), echo_url),
                _measure("durable pings: heartbeats", _heartbeats(hub), echo_url),
            ]


def _measure(name: str, load: Callable[[], Load], echo_url: str) -> Figure:
    """In turn with the echo, so that both see the same machine."""
    pairs = [(load(), wrk(echo_url, seconds=SECONDS)) for _ in range(RUNS)]
    value = statistics.median(mine.per_s for mine, _ in pairs)
    floor = statistics.median(echo.per_s for _, echo in pairs)
    ratio = statistics.median(mine.per_s / echo.per_s for mine, echo in pairs)
    p99_ms = statistics.median(mine.p99_ms for mine, _ in pairs)
    echo_p99_ms = statistics.median(echo.p99_ms for _, echo in pairs)
    failed = sum(mine.failed for mine, _ in pairs)
    met = ratio >= RATIO and p99_ms <= P99_MS and failed == 0
    note = f"p99 {p99_ms:.1f} ms (the echo's {echo_p99_ms:.1f} ms), {failed} failed"
    return Figure(name, value, "requests/s", floor, ratio, TARGET, met, note)


def _collector(hub: BenchHub) -> Load:
    return wrk(f"{hub.url}/api/ping", script=_COLLECTOR.replace("KEY", hub.key), seconds=SECONDS)


def _heartbeats(hub: BenchHub) -> Callable[[], Load]:
    """64 heartbeat checks, pinged in turn."""
    paths = [
        hub.call("POST", "/api/checks", {"name": f"job {n}", "kind": "heartbeat", "period_s": 60, "grace_s": 60})[
            "ping_url"
        ]
        for n in range(64)
    ]
    listed = ",".join(f'"{path.partition("//")[2].partition("/")[2]}"' for path in paths)
    script = f"""
local paths = {{{listed}}}
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "/" .. paths[n % #paths + 1])
end
"""
    return lambda: wrk(f"{hub.url}/", script=script, seconds=SECONDS)
