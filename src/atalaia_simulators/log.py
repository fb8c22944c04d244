"""What a simulator received, in order, to the character."""

import time
from collections import deque
from typing import Any


class Log:
    """Keeps the newest `limit` entries, or all."""

    def __init__(self, limit: int | None = None) -> None:
        self.entries: deque[dict[str, Any]] = deque(maxlen=limit)
        self._count = 0

    def add(self, **entry: Any) -> dict[str, Any]:
        """The entry, so that what is known only later can be put in."""
        self._count += 1
        made = {"n": self._count, "at": time.time(), **entry}
        self.entries.append(made)
        return made

    def clear(self) -> None:
        self.entries.clear()
        self._count = 0
