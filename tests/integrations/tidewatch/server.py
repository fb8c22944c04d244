"""The tide service, on loopback, with the faults that the conformance suite asks for."""

import http.server
import json
import secrets
import threading
from typing import Any

API_KEY = "canary-api-key-of-the-tides"


class TideServer:
    def __init__(self) -> None:
        self.token = ""
        self.faults: set[str] = set()
        self.received: list[tuple[str, str, str]] = []  # method, path, body
        self.moved: list[str] = []
        self.held: dict[str, threading.Event] = {}  # by path: its answers wait for the event
        self.logins = 0
        self._server: _Server | None = None
        self.port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """On the port it had."""
        self._server = _Server(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Nobody answers at its port."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server.end_lines()
            self._server = None

    def expire(self) -> None:
        self.token = ""

    def hold(self, path: str) -> threading.Event:
        """What is asked for there is done, and its answer waits; set the event that comes back to let it go."""
        self.held[path] = threading.Event()
        return self.held[path]

    def asked(self, path: str, method: str = "GET") -> int:
        return sum(1 for each in self.received if each[:2] == (method, path))

    def answer(self, method: str, path: str, body: str, authorization: str) -> tuple[int, Any]:
        self.received.append((method, path, body))
        if path == "/login":
            if json.loads(body).get("key") != API_KEY:
                return 403, {}
            self.logins += 1
            self.token = f"canary-token-{secrets.token_hex(12)}"
            return 200, {"token": self.token}
        if not self.token or authorization != f"Bearer {self.token}":
            return 401, {"why": f"{authorization} is not known"}
        if "shape" in self.faults:
            return 200, {"tide": {"metres": [1]}}
        if path.startswith("/level/"):
            return 200, {"level_m": 2.5}
        order = path.rpartition("/")[2]
        if method == "POST":
            self.moved.append(order)
        return 200, {"moved": order in self.moved}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *given: Any) -> None:
        self._lines: set[Any] = set()
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._lines.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._lines.discard(request)
        super().shutdown_request(request)

    def end_lines(self) -> None:
        for line in list(self._lines):
            self.shutdown_request(line)

    def handle_error(self, *_request: Any) -> None:
        """A caller that goes away is no news."""


def _handler(server: TideServer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            self._reply(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())

        def do_GET(self) -> None:
            self._reply("")

        def _reply(self, body: str) -> None:
            status, value = server.answer(self.command, self.path, body, self.headers.get("Authorization", ""))
            if self.path in server.held:
                server.held[self.path].wait(30)
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_words: Any) -> None:
            return

    return Handler
