"""Signals answered: a third begin a run (202: lock, run and job in one durable commit), a third meet one under way (200), a third come
too soon (429); 64 connections."""

import re
import socket
import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.figures import Figure, skipped
from benchmarks.hub import BenchHub, running_hub
from benchmarks.load import Load, has_wrk, wrk

NAME = "signals answered, 202, 200 and 429 mixed"
SIGNALS = 64  # of those that begin
SECONDS, RUNS = 3, 3
_WRK = """
local n = 0
request = function()
  n = n + 1
  local kind = n % 3
  local name = kind == 0 and "held" or kind == 1 and "early" or "free" .. (n % SIGNALS)
  return wrk.format("POST", "/api/signals/" .. name, {["x-monitor-key"] = "KEY"}, '{"source":"bench"}')
end
"""
_COUNTED = re.compile(r'^atalaia_signals_total\{answer="(\w+)",signal="[^"]*"\} ([\d.e+]+)$', re.MULTILINE)


def run() -> Sequence[Figure]:
    if not has_wrk():
        return [skipped(NAME, "signals/s", "wrk is not installed")]
    with _silent_receiver() as url, running_hub() as hub:
        _make_signals(hub, url)
        before = _counted(hub)
        loads = [_load(hub) for _ in range(RUNS)]
        shares = _shares(before, _counted(hub))
    per_s = statistics.median(load.per_s for load in loads)
    p99_ms = statistics.median(load.p99_ms for load in loads)
    begun = shares.get("started", 0.0)
    mix = ", ".join(f"{share:.0%} {answer}" for answer, share in sorted(shares.items(), key=lambda each: -each[1]))
    return [Figure(NAME, per_s, "signals/s", note=f"p99 {p99_ms:.1f} ms; {mix}; {begun * per_s:,.0f} durable runs/s")]


def _make_signals(hub: BenchHub, url: str) -> None:
    job = {"task": "job", "job": {"type": "bench", "payload": {}}}
    for number in range(SIGNALS):
        hub.call("POST", "/api/signals", {"name": f"free{number}", "min_interval_s": 0, **job})
    hub.call("POST", "/api/signals", {"name": "early", "min_interval_s": 86_400, **job})
    held = {"name": "held", "task": "webhook", "min_interval_s": 0, "webhook": {"url": url}}
    hub.call("POST", "/api/signals", held)
    for name in ("early", "held"):
        hub.call("POST", f"/api/signals/{name}")


def _load(hub: BenchHub) -> Load:
    script = _WRK.replace("KEY", hub.key).replace("SIGNALS", str(SIGNALS))
    return wrk(hub.url, script=script, seconds=SECONDS)


def _counted(hub: BenchHub) -> dict[str, float]:
    found: dict[str, float] = {}
    for answer, count in _COUNTED.findall(hub.text("/metrics")):
        found[answer] = found.get(answer, 0.0) + float(count)
    return found


def _shares(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    counts = {answer: count - before.get(answer, 0.0) for answer, count in after.items()}
    total = sum(counts.values())
    return {answer: count / total for answer, count in counts.items() if count}


@contextmanager
def _silent_receiver() -> Iterator[str]:
    """It takes connections and never answers, so that a run of `held` goes on for as long as its time limit."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
