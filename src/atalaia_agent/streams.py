"""What is done with a socket that does not block: each wait is the deadline's, for plain sockets and TLS alike."""

from __future__ import annotations

import errno
import os
import socket
import sys
from select import POLLIN, POLLOUT, poll
from typing import TYPE_CHECKING

from atalaia_agent.deadline import Deadline

if TYPE_CHECKING:
    import ssl


# The type of a socket that does not block.
STREAM = socket.SOCK_STREAM | socket.SOCK_NONBLOCK


def connect(sock: socket.socket, sockaddr: tuple[str, int] | tuple[str, int, int, int], deadline: Deadline) -> None:
    """Raises OSError, TimeoutError."""
    code = sock.connect_ex(sockaddr)
    if code == errno.EINPROGRESS:
        [(_, events)] = _wait(sock, POLLOUT, deadline, "no connection")
        code = 0 if events == POLLOUT else sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))


def handshake(sock: ssl.SSLSocket, deadline: Deadline) -> None:
    """Raises ssl.SSLError (an OSError), TimeoutError."""
    while True:
        try:
            return sock.do_handshake()
        except OSError as failure:
            event = _wanted(failure, POLLIN)
        _wait(sock, event, deadline, "TLS was not ready")


def send(sock: socket.socket, message: bytes, deadline: Deadline) -> None:
    """All of it. Raises OSError, TimeoutError."""
    rest = memoryview(message)
    while rest:
        try:
            rest = rest[sock.send(rest) :]
        except OSError as failure:
            _wait(sock, _wanted(failure, POLLOUT), deadline, "the request could not be sent")


def receive(sock: socket.socket, size: int, *, deadline: Deadline, what: str) -> bytes:
    """What is there, `size` bytes at most; nothing when the other side has closed. Raises OSError, TimeoutError."""
    event = POLLIN
    # TLS may have decrypted more than was asked for before, which no poll tells.
    is_sure = type(sock) is not socket.socket
    waiting = poll()
    while True:
        if not is_sure:
            waiting.register(sock, event)
            deadline.wait(waiting.poll, what)
        try:
            return sock.recv(size)
        except OSError as failure:
            event = _wanted(failure, POLLIN)
            is_sure = False


def is_readable(sock: socket.socket) -> bool:
    waiting = poll()
    waiting.register(sock, POLLIN)
    return bool(waiting.poll(0))


def _wait(sock: socket.socket, event: int, deadline: Deadline, what: str) -> list[tuple[int, int]]:
    waiting = poll()
    waiting.register(sock, event)
    return deadline.wait(waiting.poll, what)


def _wanted(failure: OSError, usual: int) -> int:
    """What to wait for; raises the failure again when it is no wish to wait."""
    if isinstance(failure, BlockingIOError):
        return usual
    # Only a process that has used TLS has the module.
    tls = sys.modules.get("ssl")
    if tls is not None and isinstance(failure, tls.SSLWantReadError):
        return POLLIN
    if tls is not None and isinstance(failure, tls.SSLWantWriteError):
        return POLLOUT
    raise failure
