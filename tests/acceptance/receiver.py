"""A webhook receiver that keeps what it is sent, and answers as it is told to."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers import wait_until


@dataclass(frozen=True, slots=True)
class Delivery:
    at: float  # monotonic
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return str(self.json["event"])

    @property
    def delivery_id(self) -> str:
        return self.headers["x-atalaia-delivery"]

    def is_signed_with(self, secret: str) -> bool:
        made = "sha256=" + hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(made, self.headers.get("x-atalaia-signature", ""))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A hub that was killed in the middle of a request is what these tests are about."""


class Receiver:
    """Also a target for checks: GET and HEAD answer `status` too; `looks` says when, by the wall clock, and with what."""

    def __init__(self, port: int = 0) -> None:
        self.status = 200
        self.delay_s = 0.0
        self.deliveries: list[Delivery] = []
        self.looks: list[tuple[float, int]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                names = {name.lower(): value for name, value in self.headers.items()}
                receiver.deliveries.append(Delivery(time.monotonic(), self.path, names, body))
                self._answer(receiver.status)

            def do_GET(self) -> None:
                status = receiver.status
                receiver.looks.append((time.time(), status))
                self._answer(status)

            def do_HEAD(self) -> None:
                self.do_GET()

            def _answer(self, status: int) -> None:
                threading.Event().wait(receiver.delay_s)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                return

        self._server = _Server(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def find(self, wanted: Callable[[Delivery], bool]) -> Delivery | None:
        return next((delivery for delivery in list(self.deliveries) if wanted(delivery)), None)

    def await_event(self, event: str, *, timeout_s: float = 60) -> Delivery:
        """The first delivery of that event; waits for it."""
        wait_until(lambda: self.find(lambda it: it.event == event) is not None, what=event, timeout_s=timeout_s)
        found = self.find(lambda it: it.event == event)
        assert found is not None
        return found
