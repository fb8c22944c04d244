"""What a promise in seconds is held to on a machine that does other things beside.

def test_x() -> None:
    watch = Stopwatch()
    …
    assert watch.took_s <= PROMISED_S + watch.late_s
"""

import time
from pathlib import Path

_PRESSURE = Path("/proc/pressure")
_STAT = Path("/proc/stat")
_TICKS_PER_S = 100
_MOST = 0.75  # of the time; also what is watched gets its turns, and a promise must stay one that can be broken


class Stopwatch:
    """Runs from when it is made. `late_s` is the most that others can have kept the product waiting for since.

    At each moment what is watched either runs, waits for something of its own, or waits for a processor or a disk; for
    how long anything at all on this machine did the last is what the kernel tells (docs.kernel.org/accounting/psi.html).
    """

    def __init__(self) -> None:
        self._began_at = time.monotonic()
        self._waited_s = _waited_s()

    @property
    def took_s(self) -> float:
        return time.monotonic() - self._began_at

    @property
    def late_s(self) -> float:
        waited_s = _waited_s()
        most_s = self.took_s * _MOST
        if waited_s is None or self._waited_s is None:  # not told here
            return most_s
        return min(waited_s - self._waited_s, most_s)


def _waited_s() -> float | None:
    """By anything, since the machine's start: for a processor, for a disk, or for the host of this machine."""
    try:
        for_us = sum(int((_PRESSURE / name).read_text().split("total=")[1].split()[0]) for name in ("cpu", "io"))
        stolen = int(_STAT.read_text().split()[8]) / _TICKS_PER_S
    except (OSError, IndexError, ValueError):
        return None
    return for_us / 1_000_000 + stolen
