"""How far the hub's clock is ahead of the agent's. It is told, and never enters a measured time.

Source: RFC 5905, section 8 (offset from four timestamps) and 10 (the sample with the least delay of the last eight is the
best one).
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from threading import Lock
from time import gmtime, strftime

from atalaia_agent.der import days_since_epoch

_SAMPLES = 8


class ClockOffset:
    def __init__(self) -> None:
        self._lock = Lock()
        self._samples: deque[tuple[float, float]] = deque(maxlen=_SAMPLES)

    def observe(self, sent_ms: float, received_ms: float, answered_ms: float, arrived_ms: float) -> None:
        """Sent and arrived by this clock, received and answered by the other."""
        delay_ms = (arrived_ms - sent_ms) - (answered_ms - received_ms)
        offset_ms = ((received_ms - sent_ms) + (answered_ms - arrived_ms)) / 2
        with self._lock:
            self._samples.append((max(delay_ms, 0.0), offset_ms))

    @property
    def offset_ms(self) -> float | None:
        with self._lock:
            return round(min(self._samples)[1], 1) if self._samples else None


def instant_text(now_s: float) -> str:
    """RFC 3339 in UTC, to a millisecond, of seconds since the epoch."""
    minute, milliseconds = divmod(int(now_s * 1_000), 60_000)
    return f"{_minute_text(minute)}:{milliseconds // 1_000:02d}.{milliseconds % 1_000:03d}Z"


@lru_cache(maxsize=1)
def _minute_text(number: int) -> str:
    return strftime("%Y-%m-%dT%H:%M", gmtime(number * 60))


def parse_instant_ms(text: str) -> float:
    """An RFC 3339 instant in UTC. Raises ValueError."""
    day, _, rest = text.partition("T")
    if not rest.endswith(("Z", "+00:00")):
        raise ValueError(f"{text!r} is not an instant in UTC")
    hour, minute, second = rest.removesuffix("Z").removesuffix("+00:00").split(":")
    return _day_ms(day) + int(hour) * 3_600_000 + int(minute) * 60_000 + float(second) * 1_000


@lru_cache(maxsize=2)
def _day_ms(day: str) -> int:
    year, month, of_month = (int(part) for part in day.split("-"))
    return days_since_epoch(year, month, of_month) * 86_400_000
