"""A mail server for the demo (RFC 5321, without encryption): tells each mail as it comes, and keeps none."""

import socketserver
import threading
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

_MOST_LINES: Final = 100_000
_USUAL: Final = {"DATA": b"354 go on", "QUIT": b"221 bye"}
Told = Callable[[EmailMessage], None]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that goes away in the middle is no news."""


class Mailbox:
    def __init__(self, tell: Told, *, port: int = 0) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 demo\r\n")
                while line := self.rfile.readline(1000).strip():
                    command = line.split(b" ")[0].upper().decode("ascii", "replace")
                    self.wfile.write(_USUAL.get(command, b"250 ok") + b"\r\n")
                    if command == "DATA":
                        tell(message_from_bytes(self._mail(), policy=policy.default))
                        self.wfile.write(b"250 taken\r\n")
                    elif command == "QUIT":
                        return

            def _mail(self) -> bytes:
                lines: list[bytes] = []
                while (line := self.rfile.readline()) not in {b".\r\n", b""} and len(lines) < _MOST_LINES:
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                return b"".join(lines)

        self._server = _Server(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_address[1])

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, name="mail", daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
