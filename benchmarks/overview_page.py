"""The overview with 500 checks and 20 agents at 20 requests/s, while 2,000 pings/s come in.

Beside it, in turn and under the same pings: a static file of the same server, the one whose size is nearest to the page's.
"""

import statistics
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.figures import Figure, percentile
from benchmarks.hub import ROOT, BenchHub, running_hub
from benchmarks.many_checks import FakeAgent
from benchmarks.people import signed_in_cookie
from benchmarks.steady import Outcome, Plan, drive

CHECKS, AGENTS = 500, 20
PER_S, SECONDS, RUNS = 20, 8.0, 5
PINGS_PER_S = 2000
P99_MS = 50.0
TARGET = f"p99 ≤ {P99_MS:g} ms"
STATIC = ROOT / "src" / "atalaia" / "web" / "static"


def run() -> Sequence[Figure]:
    with running_hub() as hub:
        agents = _fill(hub)
        cookie = signed_in_cookie(hub)
        size = _drive(hub, "/", cookie, seconds=2.0).page_bytes
        file = _nearest(size)
        pairs = []
        for _ in range(RUNS):
            _report(hub, agents)
            pairs.append((_drive(hub, "/", cookie), _drive(hub, _address(file), cookie)))
    pages, statics = zip(*pairs, strict=True)
    return [_figure(pages, statics, size, file.stat().st_size)]


def _figure(pages: Sequence[Outcome], statics: Sequence[Outcome], size: int, static_size: int) -> Figure:
    p99 = statistics.median(percentile(run.page_ms, 0.99) for run in pages)
    floor = statistics.median(percentile(run.page_ms, 0.99) for run in statics)
    median = statistics.median(value for run in pages for value in run.page_ms)
    pings = statistics.median(run.pings_per_s for run in pages)
    failed = sum(run.unanswered for run in (*pages, *statics))
    met = p99 <= P99_MS and failed == 0 and pings >= 0.95 * PINGS_PER_S
    note = (
        f"median {median:.1f} ms, {size / 1000:.0f} KB, with {pings:.0f} pings/s, {failed} failed; beside: a static file of"
        f" {static_size / 1000:.0f} KB under the same pings"
    )
    return Figure("overview page, 500 checks", p99, "ms p99", floor, p99 / floor, TARGET, met, note)


def _drive(hub: BenchHub, path: str, cookie: str, *, seconds: float = SECONDS) -> Outcome:
    plan = Plan(
        port=hub.port,
        key=hub.key,
        seconds=seconds,
        pings_per_s=PINGS_PER_S,
        pages_per_s=PER_S,
        path=path,
        cookie=cookie,
    )
    return drive(plan)


def _nearest(size: int) -> Path:
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    return min(files, key=lambda path: abs(path.stat().st_size - size))


def _address(file: Path) -> str:
    """Under any build, so that it needs no page to be found."""
    return f"/static/any/{file.relative_to(STATIC).as_posix()}"


def _fill(hub: BenchHub) -> Sequence[FakeAgent]:
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
    _report(hub, agents)
    return agents


def _report(hub: BenchHub, agents: Sequence[FakeAgent]) -> None:
    """Every check has been measured just now, and is up: no agent falls silent while the page is measured."""
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=30)
    for agent in agents:
        agent.send(connection, 0, 1)
    connection.close()
