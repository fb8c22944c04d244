"""From a target that goes down to the webhook that says so: 200 faults, a real agent, a real hub, a real receiver."""

import contextlib
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.servers import running, wait_until

from benchmarks.figures import LOAD_CORE, Figure, percentile
from benchmarks.hub import ATALAIA, BenchHub, running_hub

FAULTS = 200
INTERVAL_S, FAILURES, EXTRA_S = 1.0, 2, 1.0
TARGET = f"≤ interval x failures + {EXTRA_S:g} s = {INTERVAL_S * FAILURES + EXTRA_S:g} s at p99"
# The faults are spread over time: alone each, not one storm.
GAP_S = 0.2
GIVE_UP_S = 30.0


class _World:
    """Targets that answer 200 or 500 as told, and a receiver of webhooks that notes when each came."""

    def __init__(self) -> None:
        self.broken_at: dict[str, float] = {}
        self.told_at: dict[str, float] = {}

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(500 if handler.path in self.broken_at else 200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def take(self, body: dict[str, Any]) -> None:
        if body["event"] == "incident.opened":
            self.told_at.setdefault("/" + body["check"]["name"], time.monotonic())

    def delays_s(self) -> list[float]:
        return [self.told_at[path] - broken for path, broken in self.broken_at.items() if path in self.told_at]


def run() -> Sequence[Figure]:
    world = _World()
    with running_hub() as hub, _server(world) as port, _agent(hub):
        wait_until(lambda: bool(hub.call("GET", "/api/agents")["items"]), what="the agent")
        for number in range(FAULTS):
            _make_check(hub, f"t{number}", port)
        wait_until(lambda: _ups(hub) == FAULTS, what="all checks up", timeout_s=120)
        for number in range(FAULTS):
            world.broken_at[f"/t{number}"] = time.monotonic()
            time.sleep(GAP_S)
        until = time.monotonic() + GIVE_UP_S
        while len(world.told_at) < FAULTS and time.monotonic() < until:
            time.sleep(0.05)
    delays = world.delays_s()
    p99, floor = percentile(delays, 0.99), INTERVAL_S * FAILURES
    note = f"{len(delays)} of {FAULTS} told; median {percentile(delays, 0.5):.2f} s; {FAILURES} failures, {INTERVAL_S:g} s apart"
    met = p99 <= floor + EXTRA_S and len(delays) == FAULTS
    return [Figure("fault to message", p99, "s p99", floor, p99 / floor, TARGET, met, note)]


def _make_check(hub: BenchHub, name: str, port: int) -> None:
    """With a channel of its own: on a shared one, what breaks within 30 s of the first is told together, on purpose."""
    url = f"http://127.0.0.1:{port}"
    channel = {"name": name, "kind": "webhook", "url": f"{url}/hook", "secret": "s" * 32}
    channel_id = hub.call("POST", "/api/channels", channel)["id"]
    hub.call("POST", "/api/routes", {"channel": channel_id, "match": {"t": name}})
    spec = {
        "name": name,
        "kind": "http",
        "target": f"{url}/{name}",
        "interval_s": INTERVAL_S,
        "timeout_s": 1,
        "failures_to_down": FAILURES,
        "successes_to_up": 1,
        "labels": {"t": name},
    }
    hub.call("POST", "/api/checks", spec)


def _ups(hub: BenchHub) -> int:
    return len(hub.call("GET", f"/api/checks?state=up&limit={FAULTS}")["items"])


@contextlib.contextmanager
def _server(world: _World) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            world.answer(self)

        def do_POST(self) -> None:
            world.take(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


@contextlib.contextmanager
def _agent(hub: BenchHub) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="atalaia-bench-agent-") as spool:
        (Path(spool) / "given-key").write_text(hub.key)
        command = ["taskset", "-c", str(LOAD_CORE), ATALAIA, "agent", "--hub", hub.url, "--spool", spool]
        command += ["--key-file", str(Path(spool) / "given-key")]
        with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            yield
