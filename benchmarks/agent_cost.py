"""An agent with 20 probes at 30 s and a ping at 2 s: its memory and its share of a core, beside an idle Python process."""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.servers import running, wait_until

from benchmarks.figures import LOAD_CORE, Figure
from benchmarks.hub import ATALAIA, BenchHub, resident_bytes, running_hub

PROBES, SECONDS = 20, 60.0
RESIDENT_MB, SHARE = 22.0, 0.001
NAME = "agent, 20 probes at 30 s and a ping at 2 s"


def run() -> Sequence[Figure]:
    with running_hub() as hub, _agent(hub) as agent, _idle() as idle:
        wait_until(lambda: bool(hub.call("GET", "/api/agents")["items"]), what="the agent")
        for number in range(PROBES):
            target = f"{hub.url}/health/live?n={number}"
            hub.call(
                "POST", "/api/checks", {"name": f"live {number}", "kind": "http", "target": target, "interval_s": 30}
            )
        time.sleep(SECONDS / 2)  # the first round of each probe, and what it loads, are not what a day costs
        before, started = _cpu_s(agent.pid), time.monotonic()
        time.sleep(SECONDS)
        share = (_cpu_s(agent.pid) - before) / (time.monotonic() - started)
        resident_mb, idle_mb = resident_bytes(agent.pid) / 1e6, resident_bytes(idle.pid) / 1e6
    memory = Figure(
        f"{NAME}: memory", resident_mb, "MB resident", idle_mb, resident_mb / idle_mb, f"≤ {RESIDENT_MB:g} MB",
        resident_mb <= RESIDENT_MB, "beside: an idle Python process; a Node script under pm2 54 + 57 MB, collectd 11 MB (their figures)",
    )  # fmt: skip
    cpu = Figure(
        f"{NAME}: CPU", share * 100, "% of a core", None, None, f"≤ {SHARE:.1%}", share <= SHARE,
        f"one run of {SECONDS:g} s, user and system, by the process's own clock",
    )  # fmt: skip
    return [memory, cpu]


def _cpu_s(pid: int) -> float:
    """As `/proc/<pid>/stat` has it, but in nanoseconds: there, one tick of 10 ms is a sixth of the target.

    Source: clock_getcpuclockid(3); in Linux the number is made of the process's.
    """
    return time.clock_gettime((~pid << 3) | 2)


@contextlib.contextmanager
def _agent(hub: BenchHub) -> Iterator["subprocess.Popen[bytes]"]:
    with tempfile.TemporaryDirectory(prefix="atalaia-bench-agent-") as spool:
        (Path(spool) / "given-key").write_text(hub.key)
        command = [
            "taskset",
            "-c",
            str(LOAD_CORE),
            ATALAIA,
            "agent",
            "--hub",
            hub.url,
            "--spool",
            spool,
            "--name",
            "bench",
        ]
        command += ["--key-file", str(Path(spool) / "given-key"), "--ping", "--ping-interval-s", "2"]
        command += ["--location", "sp", "--datacenter", "dc1", "--country", "BR"]
        with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            yield process


@contextlib.contextmanager
def _idle() -> Iterator["subprocess.Popen[bytes]"]:
    with running([sys.executable, "-c", "import time; time.sleep(3600)"], env={**os.environ}) as process:
        yield process
