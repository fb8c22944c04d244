"""A line between two processes that can be cut and mended: a TCP relay on loopback."""

import contextlib
import socket
import threading

from tests.servers import free_port

POLL_S = 0.1


class Line:
    """Relays to `port` of loopback. While it is cut, nobody connects and nothing passes."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = free_port()  # one that nobody takes while the line is cut
        self._listener: socket.socket | None = socket.create_server(("127.0.0.1", self.port))
        self.url = f"http://127.0.0.1:{self.port}"
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._accept(self._listener)

    @property
    def open_count(self) -> int:
        """Connections that pass through it now."""
        with self._guard:
            return len(self._open) // 2

    def cut(self) -> None:
        with self._guard:
            if self._listener is not None:
                _end(self._listener)
                self._listener = None
            for each in self._open:
                _end(each)
            self._open.clear()

    def mend(self) -> None:
        with self._guard:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._accept(self._listener)

    close = cut

    def _accept(self, listener: socket.socket) -> None:
        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    near, _ = listener.accept()
                    self._join(near, listener)

        threading.Thread(target=run, daemon=True).start()

    def _join(self, near: socket.socket, listener: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        with self._guard:
            if self._listener is not listener:  # it was cut meanwhile
                _end(near)
                _end(far)
                return
            self._open |= {near, far}
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := source.recv(65536):
                sink.sendall(block)
        with self._guard:
            self._open -= {source, sink}
        _end(source)
        _end(sink)


def _end(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
