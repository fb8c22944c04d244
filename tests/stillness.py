"""For scenes with short times of their own, a lease of a second, a limit of half of one: they hold for who gets a turn in time.

A machine that stands still for longer than a lease takes the lease away, and rightly so. Whether it did is measured, and the
scene is then played anew with longer times; what fails on a machine that gave it its turns has failed.
"""

import threading
import time
from collections.abc import Callable
from typing import Self

import pytest

from tests.stopwatch import Stopwatch

SLOWER = (1.0, 4.0, 16.0)
_TICK_S = 0.01


class Stillness:
    """Measures, while the block lasts, for how long at a stretch this process got no turn."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._tick, name="stillness", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _tick(self) -> None:
        before = time.monotonic()
        while not self._is_over.wait(_TICK_S):
            now = time.monotonic()
            self.longest_s, before = max(self.longest_s, now - before - _TICK_S), now
        self.longest_s = max(self.longest_s, time.monotonic() - before - _TICK_S)


def unhurried(scene: Callable[[float], None], *, bears_s: float) -> None:
    """Play `scene(1.0)`, whose times bear this process coming late by `bears_s`; if it came later, with times 4, then 16 times as long."""
    for slower in SLOWER:
        watch = Stopwatch()
        with Stillness() as still:
            try:
                scene(slower)
            except (Exception, pytest.fail.Exception):
                late_s = max(still.longest_s, watch.late_s)
                if slower == SLOWER[-1] or late_s < bears_s * slower:
                    raise
            else:
                return
