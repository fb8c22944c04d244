"""10,000 checks from 100 agents at 30 s each: what the hub pays for them."""

import json
import statistics
import threading
import time
import uuid
from collections.abc import Sequence
from http.client import HTTPConnection

from benchmarks.figures import Figure
from benchmarks.hub import BenchHub, cpu_s, resident_bytes, running_hub

AGENTS, EACH = 100, 100
INTERVAL_S, REPORT_S = 30.0, 5.0
ROUNDS, ROUND_S = 3, 30.0
CPU, RESIDENT_MB = 0.35, 200.0
TARGET = f"< {CPU:.0%} of a core, < {RESIDENT_MB:g} MB"


class FakeAgent:
    """Speaks the wire, and sends what an agent with 100 probes would: a batch each report interval."""

    def __init__(self, hub: BenchHub, number: int) -> None:
        self._hub = hub
        name = f"agent-{number:03}"
        self._about = {
            "name": name,
            "hostname": name,
            "version": "0.1.0",
            "python": "3.11",
            "platform": "linux",
            "pid": 1,
            "incarnation": str(uuid.uuid4()),
            "started_at": 0,
        }
        self._spool, self._seq = str(uuid.uuid4()), 0
        self.checks: list[str] = []
        self.agent_id: str = hub.call("POST", "/api/agents/plan", {"agent": self._about, "etag": None, "wait_s": 0})[
            "agent_id"
        ]

    def send(self, connection: HTTPConnection, part: int, parts: int) -> None:
        now = int(time.time() * 1000)
        records = [self._result(check, now) for check in self.checks[part::parts]]
        spool = {"id": self._spool, "first_seq": records[0]["seq"], "last_seq": self._seq}
        body = {"agent": self._about, "spool": spool, "status": {}, "sent_at": now, "records": records}
        headers = {"Authorization": f"Bearer {self._hub.key}", "Content-Type": "application/json"}
        connection.request("POST", "/api/agents/records", json.dumps(body), headers)
        answer = connection.getresponse()
        raw = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"records: {answer.status} {raw[:200]!r}")

    def _result(self, check: str, now: int) -> dict[str, object]:
        self._seq += 1
        phases = {"dns": 0.4, "connect": 1.2, "tls": 8.1, "first_byte": 12.5, "transfer": 0.3}
        took = 20.0 + (self._seq * 7919) % 1000 / 100
        return {
            "t": "result", "seq": self._seq, "probe": check, "at": now, "ok": True, "degraded": False, "outcome": "ok",
            "error": None, "message": None, "ms": took, "phases": phases, "data": {"status": 200}, "line": "unknown",
        }  # fmt: skip


def run() -> Sequence[Figure]:
    with running_hub() as hub:
        agents = [FakeAgent(hub, number) for number in range(AGENTS)]
        _make_checks(hub, agents)
        _drive(hub, agents, REPORT_S * 2)
        shares = []
        for _ in range(ROUNDS):
            before, started = cpu_s(hub.pid), time.monotonic()
            _drive(hub, agents, ROUND_S)
            shares.append((cpu_s(hub.pid) - before) / (time.monotonic() - started))
        resident_mb = resident_bytes(hub.pid) / 1e6
    share = statistics.median(shares)
    met = share < CPU and resident_mb < RESIDENT_MB
    note = f"{resident_mb:.0f} MB resident; median of {ROUNDS} rounds of {ROUND_S:g} s"
    return [Figure("10,000 checks from 100 agents", share, "of a core", None, None, TARGET, met, note)]


def _make_checks(hub: BenchHub, agents: Sequence[FakeAgent]) -> None:
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=30)
    headers = {"Authorization": f"Bearer {hub.key}", "Content-Type": "application/json"}
    for agent in agents:
        for number in range(EACH):
            spec = {
                "name": f"{agent.agent_id[-4:]} {number}", "kind": "http", "target": "http://127.0.0.1:9/",
                "interval_s": INTERVAL_S, "agents": [agent.agent_id],
            }  # fmt: skip
            connection.request("POST", "/api/checks", json.dumps(spec), headers)
            answer = connection.getresponse()
            made = json.loads(answer.read())
            if answer.status != 201:
                raise RuntimeError(f"check: {answer.status} {made}")
            agent.checks.append(made["id"])


def _drive(hub: BenchHub, agents: Sequence[FakeAgent], seconds: float) -> None:
    """Each agent reports every REPORT_S what it measured since: a sixth of its checks; the agents spread over time."""
    parts = round(INTERVAL_S / REPORT_S)
    gap_s = REPORT_S / len(agents)
    connection = HTTPConnection("127.0.0.1", hub.port, timeout=30)
    started, number = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        round_, which = divmod(number, len(agents))
        agents[which].send(connection, round_ % parts, parts)
        number += 1
        threading.Event().wait(max(0.0, started + number * gap_s - time.monotonic()))
