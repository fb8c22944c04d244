"""What one HTTP probe costs the agent in CPU."""

import subprocess
import sys
from collections.abc import Sequence

from tests.servers import free_port, is_listening, running, wait_until

from benchmarks.figures import LOAD_CORE, RUNS, SERVER_CORE, Figure, median_of

PROBES = 2000
TARGET_MS = 1.0

_SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class H(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"OK")
    def log_message(self, *a): pass
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
"""
# The probe as the agent runs it, with the record that it would spool: a new connection each time, every phase timed.
_PROBE = """
import sys, time
from atalaia_agent.measuring import measure
from atalaia_agent.probes import Context
from atalaia_agent.records import make_records
from atalaia_agent.wire import now_ms, parse_probe
url, count = sys.argv[1], int(sys.argv[2])
probe, context = parse_probe({"id": "p", "kind": "http", "target": url, "timeout_s": 5}), Context()
def once():
    at_ms = now_ms()
    found = measure(probe, context)
    assert found.is_ok, found.message
    list(make_records(probe, found, at_ms=at_ms, line="unknown", local_id=""))
for _ in range(50): once()
before = time.process_time()
for _ in range(count): once()
print((time.process_time() - before) * 1000 / count)
"""


def run() -> Sequence[Figure]:
    port = free_port()
    with running(["taskset", "-c", str(SERVER_CORE), sys.executable, "-c", _SERVER, str(port)]):
        url = f"http://127.0.0.1:{port}/"
        wait_until(lambda: is_listening(port), what="the server")
        value = median_of(lambda: _cost_ms(url), runs=RUNS)
    note = f"{PROBES} probes, a new connection each; blackbox_exporter 0.36 ms, Uptime Kuma 4.9 ms (their figures)"
    return [
        Figure(
            "CPU of one HTTP probe in the agent",
            value,
            "ms",
            None,
            None,
            f"≤ {TARGET_MS:g} ms",
            value <= TARGET_MS,
            note,
        )
    ]


def _cost_ms(url: str) -> float:
    command = ["taskset", "-c", str(LOAD_CORE), sys.executable, "-c", _PROBE, url, str(PROBES)]
    return float(subprocess.run(command, check=True, capture_output=True).stdout)
