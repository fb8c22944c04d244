"""Samples in: bodies of 1,000 lines of text exposition, durable, beside the parse alone and VictoriaMetrics."""

import contextlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from urllib.request import urlopen

from tests.servers import find_binary, free_port, running, wait_until

from benchmarks.figures import LOAD_CORE, RUNS, SERVER_CORE, Figure, skipped
from benchmarks.hub import ROOT, BenchHub, cpu_s, running_hub
from benchmarks.load import Load, has_wrk, wrk

LINES, SECONDS, CONNECTIONS = 1_000, 4, 32
RATIO, PER_S = 0.5, 400_000
TARGET = f"≥ {RATIO} of the parse, ≥ {PER_S:,}/s"
NAME = "samples in, bodies of 1,000 lines, durable"
PATH = "/api/v1/import/prometheus"

# Each body has a time of its own, so that every sample is a new one; the rest is put together once.
_BODIES = """
local parts = {}
for n = 0, LINES - 1 do
  local line = string.format('node_cpu_seconds_total{cpu="%d",mode="user",instance="host-%d:9100",job="node"} %.2f ',
    n % 8, math.floor(n / 8), (n * 7919 % 100000) / 100)
  parts[#parts + 1] = (n == 0 and "" or "\\n") .. line
end
parts[#parts + 1] = "\\n"
local at = START
request = function()
  at = at + 1
  return wrk.format("POST", "PATH", {["X-API-Key"] = "KEY", ["Content-Type"] = "text/plain"},
    table.concat(parts, tostring(at)))
end
"""

_PARSE = """
import sys, time
from atalaia.metrics.exposition import KnownSeries, parse
known, at = KnownSeries(), 1_767_225_600_000
lines = [
    'node_cpu_seconds_total{cpu="%d",mode="user",instance="host-%d:9100",job="node"} %.2f '
    % (n % 8, n // 8, (n * 7919 % 100000) / 100)
    for n in range(int(sys.argv[1]))
]
bodies = ["".join(f"{line}{at + n}\\n" for line in lines).encode() for n in range(200)]
for number, new in enumerate(parse(bodies[0], known, default_at_ms=at).unknown.values()):
    known.learn(new.key, number)
for rounds in range(2):
    started = time.process_time()  # it waits for nothing: whoever else is on its core is not counted
    for body in bodies:
        assert len(parse(body, known, default_at_ms=at).samples) == len(lines)
    took = time.process_time() - started
print(len(bodies) * len(lines) / took)
"""


def run() -> Sequence[Figure]:
    if not has_wrk():
        return [skipped(NAME, "samples/s", "wrk is not installed", target=TARGET)]
    with running_hub() as hub, _victoria() as victoria:
        start = int(_now_ms(hub))
        mine, parsed, theirs, p99_ms, cpu_ms, failed = [], [], [], [], [], 0
        for number in range(RUNS):
            before_s = cpu_s(hub.pid)
            load = _load(hub.url, hub.key, start - 3_600_000 + number * 600_000)
            cpu_ms.append((cpu_s(hub.pid) - before_s) * 1000 / (load.per_s * SECONDS))
            mine.append(load.per_s * LINES)
            p99_ms.append(load.p99_ms)
            failed += load.failed
            parsed.append(_parse_alone())
            if victoria:
                theirs.append(_load(victoria, "", start - 3_600_000 + number * 600_000).per_s * LINES)
    value, floor = statistics.median(mine), statistics.median(parsed)
    ratio = statistics.median(ours / theirs for ours, theirs in zip(mine, parsed, strict=True))
    spent_ms, parse_ms = statistics.median(cpu_ms), 1000 * LINES / floor
    note = f"CPU of a body {spent_ms:.2f} ms, {parse_ms:.2f} of it its parse; "
    note += f"p99 {statistics.median(p99_ms):.1f} ms, {failed} failed; VictoriaMetrics, not durable at once: "
    note += f"{statistics.median(theirs):,.0f}/s" if theirs else "not installed"
    met = ratio >= RATIO and value >= PER_S and failed == 0
    return [Figure(NAME, value, "samples/s", floor, ratio, TARGET, met, note)]


def _load(url: str, key: str, start_ms: int) -> Load:
    script = _BODIES.replace("LINES", str(LINES)).replace("START", str(start_ms)).replace("KEY", key)
    return wrk(url, script=script.replace("PATH", PATH), connections=CONNECTIONS, seconds=SECONDS)


def _parse_alone() -> float:
    # On the core that nobody uses at that moment: the hub is still putting away what came.
    command = ["taskset", "-c", str(LOAD_CORE), sys.executable, "-c", _PARSE, str(LINES)]
    return float(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)


def _now_ms(hub: BenchHub) -> float:
    return datetime.fromisoformat(hub.call("GET", "/health")["timestamp"]).timestamp() * 1000


@contextlib.contextmanager
def _victoria() -> Iterator[str | None]:
    if find_binary("victoria-metrics") is None:
        yield None
        return
    with (
        tempfile.TemporaryDirectory(dir=ROOT / "build", ignore_cleanup_errors=True) as folder,
        running_victoria(Path(folder)) as url,
    ):
        yield url


@contextlib.contextmanager
def running_victoria(folder: Path) -> Iterator[str]:
    """VictoriaMetrics on the server's core."""
    binary, port = find_binary("victoria-metrics") or "", free_port()
    url = f"http://127.0.0.1:{port}"
    command = ["taskset", "-c", str(SERVER_CORE), binary, f"-storageDataPath={folder}", "-retentionPeriod=1y"]
    command += [f"-httpListenAddr=127.0.0.1:{port}", "-dedup.minScrapeInterval=1ms", "-search.latencyOffset=0s"]
    with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        wait_until(lambda: _answers(url), what="VictoriaMetrics")
        yield url


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
