"""Identifiers: sortable by time, safe in an address."""

import secrets
import threading
import time
from uuid import UUID, uuid4

_NS_A_MS = 1_000_000
_FRACTIONS = 1 << 12


class _Ticks:
    """Milliseconds and a fraction of 12 bits, never the same twice in this process."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def next(self) -> int:
        ms, rest_ns = divmod(time.time_ns(), _NS_A_MS)
        now = ms * _FRACTIONS + rest_ns * _FRACTIONS // _NS_A_MS
        with self._lock:
            self._last = max(now, self._last + 1)
            return self._last


_ticks = _Ticks()


def new_id() -> str:
    """A UUID version 7 as text: newer ones sort after older ones, of one process also within a millisecond.

    Source: RFC 9562, section 5.7, and 6.2 method 3 for the fraction
    """
    ms, fraction = divmod(_ticks.next(), _FRACTIONS)
    value = (ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | secrets.randbits(62)
    return str(UUID(int=value))


def new_uuid4() -> str:
    """For what is shown to others and must not tell its age."""
    return str(uuid4())


def new_token(size_bytes: int = 32) -> str:
    return secrets.token_urlsafe(size_bytes)
