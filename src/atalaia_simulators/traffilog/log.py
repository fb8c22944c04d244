"""What the simulator received, in order, to the character."""

import time
from typing import Any


class Log:
    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []

    def add(self, **entry: Any) -> None:
        self.entries.append({"n": len(self.entries) + 1, "at": time.time(), **entry})

    def clear(self) -> None:
        self.entries.clear()
