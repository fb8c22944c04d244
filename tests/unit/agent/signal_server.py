"""A signal's address, small: it notes what comes, answers as it is told, and can be closed and opened again."""

import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from tests.servers import free_port

KEY = "monitor-key-" + "0123456789" * 3

WORDS = {
    202: {"status": "processing", "message": "Monitor execution started"},
    200: {"status": "skipped", "message": "Monitor already running"},
    429: {"status": "throttled", "message": "Too many requests"},
    401: {"error": "Unauthorized"},
}


class Came(NamedTuple):
    at: float
    path: str
    key: str | None
    body: dict[str, Any]


class SignalServer:
    def __init__(self) -> None:
        self.came: list[Came] = []
        self.status = 202
        self.then: list[int] = []
        """What the next signals are answered with, before `status` counts again."""
        self.answer_s = 0.0
        self.most_at_once = 0
        self.connections = 0
        self.guard = threading.Lock()
        self._at_once = 0
        self.port = free_port()  # one that nobody takes while this is closed
        self._server = self._listen(self.port)
        self.url = f"http://127.0.0.1:{self.port}/functions/v1/monitor-execution"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Nobody is there; those that were connected are cut."""
        self._server.shutdown()
        self._server.server_close()
        self._server.cut()

    def reopen(self) -> None:
        self._server = self._listen(self.port)

    def next_status(self) -> int:
        with self.guard:
            return self.then.pop(0) if self.then else self.status

    def enter(self, came: Came) -> None:
        with self.guard:
            self.came.append(came)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)

    def leave(self) -> None:
        with self.guard:
            self._at_once -= 1

    def _listen(self, port: int) -> "_Server":
        server = _Server(("127.0.0.1", port), _Handler)
        server.signals = self
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    signals: SignalServer

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.open: list[Any] = []

    def cut(self) -> None:
        for each in self.open:
            with contextlib.suppress(OSError):  # it has gone by itself
                each.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        pass  # the other side left


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.signals.connections += 1
        self.server.open.append(self.connection)

    def do_POST(self) -> None:
        at = time.monotonic()
        signals = self.server.signals
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        signals.enter(Came(at, self.path, self.headers.get("x-monitor-key"), body))
        try:
            time.sleep(signals.answer_s)
            self._answer(signals.next_status())
        finally:
            signals.leave()

    def _answer(self, status: int) -> None:
        content = json.dumps(WORDS.get(status, {"error": f"no {time.monotonic()}"})).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
