"""HTTP/1.1 as far as probes and the way to the hub need it, over a socket of one's own.

Small on purpose: `http.client` brings the e-mail package (4 MB) and hides the instants that phases are made of.
Source: RFC 9112.
"""

from __future__ import annotations

import errno
import re
import socket
from time import monotonic
from typing import NamedTuple

from atalaia_agent import streams
from atalaia_agent.deadline import Deadline
from atalaia_agent.failures import ProbeError

MAX_HEAD_BYTES = 65_536
READ_BYTES = 16_384

Headers = list[tuple[str, str]]


class Address(NamedTuple):
    """The parts of an http(s) URL that a request needs."""

    scheme: str
    host: str
    port: int
    path: str
    userinfo: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == default_port(self.scheme) else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"


class Response(NamedTuple):
    status: int
    reason: str
    head: bytes
    body: bytes
    is_truncated: bool
    keeps_open: bool
    first_byte_at: float
    ended_at: float

    def header(self, name: str) -> str | None:
        """The values under a lower-case name, joined as RFC 9110 says."""
        values = [value for key, value in _headers(self.head) if key == name]
        return ", ".join(values) if values else None


class Closed(ConnectionResetError):
    """The other side closed before a single byte of an answer: on a kept connection the request may be sent again."""


def default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def encode_request(method: str, path: str, *, headers: Headers, body: bytes = b"") -> bytes:
    """Raises ProbeError when a header or the path would break the message's frame."""
    head = encode_head(method, path, headers=headers)
    return with_body(head, body) if body or method in ("POST", "PUT", "PATCH") else head + b"\r\n"


def encode_head(method: str, path: str, *, headers: Headers) -> bytes:
    """The part that stays the same from one request to the next, for `with_body`. Raises ProbeError."""
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ProbeError("bad_option", "headers: a line break is not allowed", outcome="error")
    try:
        return "\r\n".join([*lines, ""]).encode("latin-1")
    except UnicodeEncodeError as failure:
        raise ProbeError("bad_option", f"headers: {failure.object[failure.start]!r} is not allowed") from failure


def with_body(head: bytes, body: bytes) -> bytes:
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def send(sock: socket.socket, message: bytes, deadline: Deadline) -> None:
    try:
        streams.send(sock, message, deadline)
    except (BrokenPipeError, ConnectionResetError) as failure:
        raise Closed(failure.errno, failure.strerror) from failure


def read_response(sock: socket.socket, *, method: str, deadline: Deadline, max_body_bytes: int) -> Response:
    """From a socket that does not block. Raises ProbeError (not HTTP), OSError, TimeoutError.

    A body over the limit is cut there.
    """
    reader = _Reader(sock, deadline)
    head, status, reason, is_modern = _final_head(reader)
    framing = {name.lower(): value for name, value in reversed(_FRAMING.findall(head))}
    body, is_framed, is_truncated = _read_body(reader, method, status=status, framing=framing, limit=max_body_bytes)
    is_kept = is_modern and b"close" not in framing.get(b"connection", b"").lower()
    keeps_open = is_framed and not is_truncated and is_kept
    ended_at = monotonic()
    return Response(status, reason, head, body, is_truncated, keeps_open, reader.first_byte_at or ended_at, ended_at)


# What says where the answer ends; the other headers are read only when somebody asks for them.
_FRAMING = re.compile(rb"\n(content-length|transfer-encoding|connection)[ \t]*:[ \t]*([^\r\n]*)", re.IGNORECASE)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(rb"HTTP/(\S+) +(\d{3})(?: ([^\r\n]*))?[ \t\r]*(?:\n|\Z)")


def _final_head(reader: _Reader) -> tuple[bytes, int, str, bool]:
    """Head, status, reason, whether it is HTTP/1.1."""
    for _ in range(8):
        head = reader.head()
        line = _STATUS_LINE.match(head)
        if line is None:
            said = head.split(b"\n", 1)[0].rstrip().decode("latin-1")
            raise ProbeError("bad_response", f"not an HTTP answer: {said[:80]!r}")
        version, code, reason = line.groups(b"")
        status = int(code)
        if status >= 200 or status == 101:  # noqa: PLR2004 - below are interim answers
            return head, status, reason.decode("latin-1").strip(), version != b"1.0"
    raise ProbeError("bad_response", "too many interim answers")


def _headers(head: bytes) -> Headers:
    found: Headers = []
    for line in head.decode("latin-1").splitlines()[1:]:
        name, colon, value = line.partition(":")
        if colon:
            found.append((name.strip().lower(), value.strip()))
    return found


def _read_body(
    reader: _Reader, method: str, *, status: int, framing: dict[bytes, bytes], limit: int
) -> tuple[bytes, bool, bool]:
    """The body, whether its end is known without a close, whether it was cut."""
    if method == "HEAD" or status in (101, 204, 304):
        return b"", True, False
    if b"chunked" in framing.get(b"transfer-encoding", b"").lower():
        body, is_truncated = reader.chunked(limit)
        return body, True, is_truncated
    length = framing.get(b"content-length")
    if length is None:
        body = reader.up_to(limit + 1, must_be_whole=False)
        return body[:limit], False, len(body) > limit
    if not length.strip().isdigit():
        raise ProbeError("bad_response", f"content-length is {length[:20].decode('latin-1')!r}")
    size = int(length)
    return reader.up_to(min(size, limit), must_be_whole=True), True, size > limit


class _Reader:
    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._buffer = b""
        self.first_byte_at: float | None = None

    def head(self) -> bytes:
        while True:
            end = _HEAD_END.search(self._buffer)
            if end is not None:
                head, self._buffer = self._buffer[: end.start()], self._buffer[end.end() :]
                return head
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise ProbeError("bad_response", f"more than {MAX_HEAD_BYTES} bytes of headers")
            if not self._more():
                if self.first_byte_at is None:
                    raise Closed(errno.ECONNRESET, "closed without an answer")
                raise ProbeError("bad_response", "closed within the headers")

    def up_to(self, size: int, *, must_be_whole: bool) -> bytes:
        if len(self._buffer) == size:
            data, self._buffer = self._buffer, b""
            return data
        parts, have = [self._buffer], len(self._buffer)
        self._buffer = b""
        while have < size and self._more():
            parts.append(self._buffer)
            have += len(self._buffer)
            self._buffer = b""
        if have < size and must_be_whole:
            raise ProbeError("bad_response", f"closed after {have} of {size} bytes")
        data = b"".join(parts)
        self._buffer = data[size:]
        return data[:size]

    def chunked(self, limit: int) -> tuple[bytes, bool]:
        parts: list[bytes] = []
        have = 0
        while (size := self._chunk_size()) > 0:
            parts.append(self.up_to(min(size, limit - have), must_be_whole=True))
            have += len(parts[-1])
            if len(parts[-1]) < size:
                return b"".join(parts), True
            self._line()
        while self._line():
            pass
        return b"".join(parts), False

    def _chunk_size(self) -> int:
        line = self._line().partition(b";")[0].strip()
        try:
            return int(line, 16)
        except ValueError:
            raise ProbeError("bad_response", f"not a chunk size: {line[:20]!r}") from None

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > MAX_HEAD_BYTES or not self._more():
                raise ProbeError("bad_response", "the chunked body is broken")
        line, self._buffer = self._buffer[:end], self._buffer[end + 1 :]
        return line.rstrip(b"\r")

    def _more(self) -> bool:
        what = "no answer" if self.first_byte_at is None else "the answer was not complete"
        try:
            data = streams.receive(self._sock, READ_BYTES, deadline=self._deadline, what=what)
        except ConnectionResetError as failure:
            if self.first_byte_at is None:
                raise Closed(failure.errno, failure.strerror) from failure
            raise
        if data and self.first_byte_at is None:
            self.first_byte_at = monotonic()
        self._buffer += data
        return bool(data)
