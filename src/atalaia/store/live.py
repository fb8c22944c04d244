"""What has changed, told to whoever listens in this process: lossy, after the commit.

On SQLite there is one hub, so this is all; on PostgreSQL store.listen carries it between hubs.
"""

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()
Listener = Callable[[str, str], None]


class Live:
    """Topics and ids, from the writer's thread to listeners, which must be quick and are called on any thread."""

    def __init__(self) -> None:
        self._listeners: dict[int, Listener] = {}
        self._lock = threading.Lock()
        self._next = 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; call what comes back to remove it."""
        with self._lock:
            number = self._next
            self._next += 1
            self._listeners[number] = listener

        def unsubscribe() -> None:
            with self._lock:
                self._listeners.pop(number, None)

        return unsubscribe

    def publish(self, topic: str, id: str = "") -> None:
        for listener in list(self._listeners.values()):
            try:
                listener(topic, id)
            except Exception:  # what was told is committed, and the others are to hear of it
                log.exception("listener_failed", topic=topic)
