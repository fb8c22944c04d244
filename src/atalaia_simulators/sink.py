"""A receiver of messages: what the demo's webhook channel posts to. Keeps the last ones, and tells each as it comes."""

import json
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from atalaia_simulators.quiet import QuietServer

KEPT = 200


class Sink:
    def __init__(self, tell: Callable[[dict[str, Any]], None], *, port: int = 0) -> None:
        self.messages: deque[dict[str, Any]] = deque(maxlen=KEPT)
        sink = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                message = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                sink.messages.append(message)
                tell(message)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                return

        self._server = QuietServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/messages"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="sink", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
