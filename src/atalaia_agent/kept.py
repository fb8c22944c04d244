"""A connection that is kept between requests: the way to the hub and to a collector of pings."""

from __future__ import annotations

import errno
import socket
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from atalaia_agent import http1, streams
from atalaia_agent.deadline import Deadline, elapsed_ms
from atalaia_agent.dial import dial
from atalaia_agent.reach import Reach

if TYPE_CHECKING:
    import ssl


class Exchange(NamedTuple):
    response: http1.Response
    sent_at: float
    connect_ms: float | None
    """Names, TCP and TLS; None when the connection was there already."""


def start_tls(
    sock: socket.socket, host: str, *, deadline: Deadline, ca: str | None, is_verified: bool = True
) -> ssl.SSLSocket:
    """Raises ssl.SSLError (an OSError), TimeoutError, and closes the socket."""
    # 4 MB, and most targets inside a network are plain HTTP.
    from atalaia_agent import certificates

    # As bytes, for the same reason as in `dial`: text would load the tables of international names.
    name = host.encode("ascii") if host.isascii() else host.encode("idna")
    sock.setblocking(False)
    try:
        context = certificates.context(ca, is_verified=is_verified)
        sock = secured = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
        streams.handshake(secured, deadline)
    except BaseException:
        sock.close()
        raise
    return secured


# No server gives up a connection so soon; one that dies all the same costs a second try.
_FRESH_S = 3.0


class KeptConnection:
    """For one thread at a time."""

    def __init__(
        self, address: http1.Address, *, ca: str | None = None, reach: Reach | None = None, family: str = "any"
    ) -> None:
        self.address = address
        self._ca = ca
        self._reach = reach
        self._family = family
        self._sock: socket.socket | None = None
        self._fresh_until = 0.0

    def exchange(self, method: str, message: bytes, *, deadline: Deadline, max_body_bytes: int) -> Exchange:
        """Send one encoded request, on a new connection when the kept one is gone, once more when it went just now.

        Only for requests that may be repeated. Raises ProbeError, OSError, TimeoutError.
        """
        connect_ms = self._open(deadline)
        try:
            return self._try(method, message, deadline=deadline, max_body_bytes=max_body_bytes, connect_ms=connect_ms)
        except http1.Closed:
            self.close()
            if connect_ms is not None:
                raise
        connect_ms = self._open(deadline)
        return self._try(method, message, deadline=deadline, max_body_bytes=max_body_bytes, connect_ms=connect_ms)

    def close(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _open(self, deadline: Deadline) -> float | None:
        # Between two answers there is nothing to read but the end of the connection.
        if self._sock is not None and (monotonic() < self._fresh_until or not streams.is_readable(self._sock)):
            return None
        self.close()
        started = monotonic()
        host = self.address.host
        sock = dial(host, self.address.port, deadline=deadline, reach=self._reach, family=self._family).sock
        if self.address.scheme == "https":
            sock = start_tls(sock, host, deadline=deadline, ca=self._ca)
        self._sock = sock
        return elapsed_ms(started)

    def _try(
        self, method: str, message: bytes, *, deadline: Deadline, max_body_bytes: int, connect_ms: float | None
    ) -> Exchange:
        sock = self._sock
        if sock is None:
            raise http1.Closed(errno.ECONNRESET, "closed")
        sent_at = monotonic()
        is_done = False
        try:
            http1.send(sock, message, deadline)
            response = http1.read_response(sock, method=method, deadline=deadline, max_body_bytes=max_body_bytes)
            is_done = response.keeps_open
            self._fresh_until = response.ended_at + _FRESH_S
        finally:
            if not is_done:
                self.close()
        return Exchange(response, sent_at, connect_ms)
