"""Requests to the hub over one kept connection."""

from __future__ import annotations

import json
import zlib
from time import time_ns
from typing import TYPE_CHECKING, NamedTuple

from atalaia_agent import __version__, http1
from atalaia_agent.deadline import Deadline
from atalaia_agent.failures import ProbeError, as_probe_error
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
        headers = self._headers
        if len(body) > GZIP_FROM_BYTES:
            headers = [*headers, ("Content-Encoding", "gzip")]
            body = _gzip(body)
        message = http1.encode_request("POST", self._prefix + path, headers=headers, body=body)
        sent_ms = time_ns() / 1e6
        try:
            response = self._kept.exchange(
                "POST", message, deadline=Deadline(timeout_s, turn), max_body_bytes=_MAX_ANSWER_BYTES
            ).response
        except (ProbeError, OSError) as failure:
            self._kept.close()
            raise HubUnreachable(as_probe_error(failure).message) from failure
        return Answer(response.status, _decode(response.body), _retry_after_s(response), sent_ms, time_ns() / 1e6)

    def close(self) -> None:
        self._kept.close()


# One for all: `json.dumps` with arguments makes a new one for each call.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def encode(payload: Json) -> bytes:
    return _encode(payload).encode()


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(6, zlib.DEFLATED, 31)  # 31: the largest window, in gzip's frame
    return compressor.compress(body) + compressor.flush()


def _decode(body: bytes) -> Json:
    try:
        decoded = json.loads(body) if body else {}
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def _retry_after_s(response: http1.Response) -> float | None:
    value = (response.header("retry-after") or "").strip()
    return float(value) if value.isdigit() else None
