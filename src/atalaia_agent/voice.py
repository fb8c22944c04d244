"""Short lines on stderr. A state that lasts is said once when it begins and once when it ends."""

from __future__ import annotations

import sys
from threading import Lock
from time import monotonic


class Voice:
    def __init__(self) -> None:
        self._lock = Lock()
        self._troubles: dict[str, tuple[str, float]] = {}

    def say(self, text: str) -> None:
        self.tell(f"atalaia-agent: {text}")

    def tell(self, text: str) -> None:
        """A line as it is: one of many, whose reader knows who says it."""
        try:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # a closed terminal must not stop the measuring

    def trouble(self, topic: str, text: str) -> None:
        with self._lock:
            known = self._troubles.get(topic)
            self._troubles[topic] = (text, known[1] if known else monotonic())
        if known is None or known[0] != text:
            self.say(text)

    def fine(self, topic: str, text: str) -> None:
        """`text` is only said when there was trouble; `{}` in it becomes how long."""
        if not self._troubles:
            return
        with self._lock:
            known = self._troubles.pop(topic, None)
        if known is not None:
            self.say(text.format(f"{monotonic() - known[1]:.0f} s"))
