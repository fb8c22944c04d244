from __future__ import annotations

from contextlib import suppress
from threading import Lock

_MOST_S = 3_600.0


class Bell:
    """Wakes one waiting thread, or the next that waits. `ring` may be called from a signal's handler: it takes no lock."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def ring(self) -> None:
        with suppress(RuntimeError):  # it rings already
            self._lock.release()

    def wait(self, timeout_s: float = _MOST_S) -> bool:
        """Whether it rang; an hour at most."""
        return self._lock.acquire(timeout=min(timeout_s, _MOST_S))
