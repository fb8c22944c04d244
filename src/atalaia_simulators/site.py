"""A web site that breaks and heals by script, for `atalaia demo` and for tests.

The script is a table: what a path does, from when to when within a cycle that repeats.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

from atalaia_simulators.quiet import QuietServer


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a path answers: with which status, and after how long."""

    status: int = 200
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    """From `start_s` until `end_s` of each cycle, `path` behaves so."""

    path: str
    start_s: float
    end_s: float
    behaviour: Behaviour


CYCLE_S = 300.0
USUAL = {
    "/": Behaviour(delay_s=0.02),
    "/api/orders": Behaviour(delay_s=0.04),
    "/checkout": Behaviour(delay_s=0.06),
    "/login": Behaviour(delay_s=0.03),
    "/status": Behaviour(),
}
PORT_PATH = "port"  # the plain TCP service that stands beside the site
SCRIPT = (
    Scene("/api/orders", 20, 95, Behaviour(status=500)),
    Scene("/login", 30, 70, Behaviour(delay_s=0.9)),
    Scene(PORT_PATH, 60, 85, Behaviour(status=0)),
    Scene("/checkout", 130, 170, Behaviour(status=503, delay_s=0.2)),
    Scene("/api/orders", 200, 230, Behaviour(status=502)),
    Scene("/login", 240, 270, Behaviour(delay_s=0.9)),
)


def behaviour_at(path: str, elapsed_s: float, *, script: Sequence[Scene] = SCRIPT) -> Behaviour:
    """What `path` does so long after the start; 404 for a path that the site doesn't have."""
    moment = elapsed_s % CYCLE_S
    for scene in script:
        if scene.path == path and scene.start_s <= moment < scene.end_s:
            return scene.behaviour
    return USUAL.get(path, Behaviour(status=200 if path == PORT_PATH else 404))


class Site:
    """The site on a port of loopback, and a plain TCP service on another that is closed while it is broken."""

    def __init__(
        self, *, script: Sequence[Scene] = SCRIPT, now: Callable[[], float] = time.monotonic, port: int = 0
    ) -> None:
        self._script = script
        self._now = now
        self._started = now()
        self._server = _server(self, port)
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._service = _Service(lambda: self.behaviour(PORT_PATH).status != 0)
        self.service_address = f"127.0.0.1:{self._service.port}"

    def behaviour(self, path: str) -> Behaviour:
        return behaviour_at(path, self._now() - self._started, script=self._script)

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="site", daemon=True).start()
        self._service.start()

    def close(self) -> None:
        self._service.close()
        self._server.shutdown()
        self._server.server_close()


def _server(site: Site, port: int) -> QuietServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            behaviour = site.behaviour(path)
            time.sleep(behaviour.delay_s)
            self._answer(behaviour.status, path)

        def do_HEAD(self) -> None:
            self.do_GET()

        def _answer(self, status: int, path: str) -> None:
            body = json.dumps({"path": path, "status": "ok" if status < 400 else "broken"}).encode()  # noqa: PLR2004 - RFC 9110
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_words: Any) -> None:
            return

    return QuietServer(("127.0.0.1", port), Handler)


class _Service:
    """Accepts connections and says hello, as mail servers do, or is gone."""

    POLL_S = 0.2

    def __init__(self, is_open: Callable[[], bool]) -> None:
        self._is_open = is_open
        self._listener: socket.socket | None = self._listen(0)
        self.port = int(self._listener.getsockname()[1])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="site-service", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._shut()

    def _run(self) -> None:
        while not self._stop.is_set():
            if not self._is_open():
                self._shut()
                self._stop.wait(self.POLL_S)
                continue
            self._listener = self._listener or self._listen(self.port)
            self._greet(self._listener)

    def _greet(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            return
        with connection:
            connection.sendall(b"220 mail.example.org ready\r\n")

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        listener.settimeout(self.POLL_S)
        return listener

    def _shut(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
