"""Requests to the hub over one kept connection."""

from __future__ import annotations

import zlib
from time import time_ns
from typing import TYPE_CHECKING, NamedTuple

from atalaia_agent import __version__, http1
from atalaia_agent.deadline import Deadline
from atalaia_agent.failures import ProbeError, as_probe_error
from atalaia_agent.json_text import decode
from atalaia_agent.kept import KeptConnection
from atalaia_agent.wire import GZIP_FROM_BYTES, Json

if TYPE_CHECKING:
    from atalaia_agent.turns import Turn

_MAX_ANSWER_BYTES = 20_000_000


class HubUnreachable(Exception):
    pass


class Answer(NamedTuple):
    """`sent_ms` and `received_ms` by the agent's wall clock, for the estimate of the hub's."""

    status: int
    body: Json
    retry_after_s: float | None
    sent_ms: float
    received_ms: float

    @property
    def complaint(self) -> str:
        error = self.body.get("error")
        message = error.get("message") if isinstance(error, dict) else self.body.get("detail")
        return f"{self.status} {message}" if message else str(self.status)


class HubConnection:
    """For one thread at a time."""

    def __init__(self, address: http1.Address, key: str, *, ca: str | None = None) -> None:
        self._address = address
        self._prefix = address.path.rstrip("/")
        self._kept = KeptConnection(address, ca=ca)
        self._heads: dict[tuple[str, bool], bytes] = {}
        self._headers = [
            ("Host", address.authority),
            ("User-Agent", f"atalaia-agent/{__version__}"),
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
        ]
        if key:
            self._headers.append(("Authorization", f"Bearer {key}"))

    def post(self, path: str, body: bytes, *, timeout_s: float, turn: Turn | None = None) -> Answer:
        """Raises HubUnreachable."""
        is_packed = len(body) > GZIP_FROM_BYTES
        message = http1.with_body(self._head(path, is_packed=is_packed), _gzip(body) if is_packed else body)
        sent_ms = time_ns() / 1e6
        try:
            response = self._kept.exchange(
                "POST", message, deadline=Deadline(timeout_s, turn), max_body_bytes=_MAX_ANSWER_BYTES
            ).response
        except (ProbeError, OSError) as failure:
            self._kept.close()
            raise HubUnreachable(as_probe_error(failure).message) from failure
        retry_after_s = None if response.status in (200, 204) else _retry_after_s(response)
        return Answer(response.status, decode(response.body), retry_after_s, sent_ms, time_ns() / 1e6)

    def close(self) -> None:
        self._kept.close()

    def _head(self, path: str, *, is_packed: bool) -> bytes:
        head = self._heads.get((path, is_packed))
        if head is None:
            headers = [*self._headers, ("Content-Encoding", "gzip")] if is_packed else self._headers
            head = self._heads[path, is_packed] = http1.encode_head("POST", self._prefix + path, headers=headers)
        return head


def _gzip(body: bytes) -> bytes:
    # 28: gzip's frame and a window of 4 kB. Records repeat within less, and the usual 32 kB cost more to clear than to use.
    compressor = zlib.compressobj(6, zlib.DEFLATED, 28, 5)
    return compressor.compress(body) + compressor.flush()


def _retry_after_s(response: http1.Response) -> float | None:
    value = (response.header("retry-after") or "").strip()
    return float(value) if value.isdigit() else None
