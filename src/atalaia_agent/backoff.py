from __future__ import annotations

from random import uniform

FIRST_S = 1.0
MOST_S = 60.0


class Backoff:
    """1 s doubling to 60 s, each with jitter, so that agents do not come back all at once."""

    def __init__(self) -> None:
        self._failures = 0

    def next_s(self, retry_after_s: float | None = None) -> float:
        self._failures += 1
        if retry_after_s is not None:
            return min(max(retry_after_s, FIRST_S), 3_600.0) * uniform(1.0, 1.1)  # noqa: S311 - to spread load, not to guess
        ceiling = min(MOST_S, FIRST_S * 2.0 ** min(self._failures, 10))
        return uniform(max(FIRST_S, ceiling / 2), ceiling)  # noqa: S311 - the same

    def reset(self) -> None:
        self._failures = 0
