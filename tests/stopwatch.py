"""What a promise in seconds is held to on a machine that does other things beside.

def test_x() -> None:
    watch = Stopwatch()
    …
    assert watch.took_s <= PROMISED_S + watch.late_s
"""

import threading
import time
from functools import cache
from pathlib import Path

_PRESSURE = Path("/proc/pressure")
_STAT = Path("/proc/stat")
_TICKS_PER_S = 100
_MOST = 0.75  # of the time; also what is watched gets its turns, and a promise must stay one that can be broken
_BEAT_S = 0.05
_STANDSTILL_S = 0.25  # a beat that is later than that by itself


class Stopwatch:
    """Runs from when it is made. `late_s` is the most that others can have kept the product waiting for since.

    At each moment what is watched either runs, waits for something of its own, or waits for a processor or a disk; for
    how long anything at all on this machine did the last is what the kernel tells (docs.kernel.org/accounting/psi.html).
    Nothing at all runs while the machine stands still, which shows here, and counts whole.
    """

    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._waited_s = _waited_s()
        self._stood_s = _pulse().stood_s

    @property
    def took_s(self) -> float:
        return time.monotonic() - self._began_at

    @property
    def late_s(self) -> float:
        stood_s = _pulse().stood_s - self._stood_s
        waited_s = _waited_s()
        most_s = max(self.took_s - stood_s, 0.0) * _MOST
        if waited_s is None or self._waited_s is None:  # not told here
            return stood_s + most_s
        return stood_s + min(waited_s - self._waited_s, most_s)


class _Pulse(threading.Thread):
    """Finds out for how long this process, which wants next to nothing, did not run at all."""

    def __init__(self) -> None:
        super().__init__(name="pulse", daemon=True)
        self._guard = threading.Lock()
        self._stood_s = 0.0
        self._beat_at = time.monotonic()
        self.start()

    @property
    def stood_s(self) -> float:
        """In all, the present standstill with it."""
        with self._guard:
            return self._stood_s + self._late_s()

    def run(self) -> None:
        while True:
            time.sleep(_BEAT_S)
            with self._guard:
                self._stood_s += self._late_s()
                self._beat_at = time.monotonic()

    def _late_s(self) -> float:
        late_s = time.monotonic() - self._beat_at - _BEAT_S
        return late_s if late_s > _STANDSTILL_S else 0.0


@cache
def _pulse() -> _Pulse:
    return _Pulse()


def _waited_s() -> float | None:
    """By anything, since the machine's start: for a processor, for a disk, or for the host of this machine."""
    try:
        for_us = sum(int((_PRESSURE / name).read_text().split("total=")[1].split()[0]) for name in ("cpu", "io"))
        stolen = int(_STAT.read_text().split()[8]) / _TICKS_PER_S
    except (OSError, IndexError, ValueError):
        return None
    return for_us / 1_000_000 + stolen
