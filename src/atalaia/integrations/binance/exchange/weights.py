"""What is used of the exchange's limits, by its own word in the headers of its answers."""

from collections.abc import Callable, Mapping
from typing import Final

WEIGHT_LIMIT: Final = 2400  # a minute and address
ORDERS_10S: Final = 300
ORDERS_1M: Final = 1200
_WINDOW_S: Final = 60.0
_MOST: Final = 9  # digits


def _count(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST else None


class UsedWeight:
    """See port.Weights. Of one address, whoever uses it."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._used = 0
        self._noted_at = 0.0
        self.limit = WEIGHT_LIMIT

    def note(self, headers: Mapping[str, str]) -> None:
        if (used := _count(headers, "X-MBX-USED-WEIGHT-1M")) is not None:
            self._used = used
            self._noted_at = self._monotonic()

    def used(self) -> int:
        """By the newest answer; after a minute without one nothing is left of it."""
        return self._used if self._monotonic() - self._noted_at < _WINDOW_S else 0

    def is_under_half(self) -> bool:
        return 2 * self.used() < self.limit


class OrderCounts:
    """Of one account: how many orders it has sent, and how long the next has to wait."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._full_until = 0.0

    def note(self, headers: Mapping[str, str]) -> None:
        for name, limit, window_s in (
            ("X-MBX-ORDER-COUNT-10S", ORDERS_10S, 10.0),
            ("X-MBX-ORDER-COUNT-1M", ORDERS_1M, _WINDOW_S),
        ):
            count = _count(headers, name)
            if count is not None and count >= limit:
                self._full_until = max(self._full_until, self._monotonic() + window_s)

    def wait_s(self) -> float:
        return max(0.0, self._full_until - self._monotonic())
