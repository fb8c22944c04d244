"""When a failed job is tried again: exponential with jitter, or as the other side said. Pure."""

import random

BASE_S = 5.0
LONGEST_S = 900.0


def retry_delay_s(attempts: int, *, retry_after_s: float | None, chance: float | None = None) -> float:
    """After `attempts` (> 0) that failed. At least half of the step, so that a retry is never at once; `chance` is 0..1."""
    step_s = min(LONGEST_S, BASE_S * 2 ** min(attempts - 1, 20))
    spread = random.random() if chance is None else chance  # noqa: S311 - spreads load, keeps no secret
    delay_s = step_s * (0.5 + spread / 2)
    return delay_s if retry_after_s is None else max(retry_after_s, 0.0)
