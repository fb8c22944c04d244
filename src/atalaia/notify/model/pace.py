"""When a message that could not be delivered is tried again, and when it is given up."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from atalaia.outbound.retry import Chance, full_jitter_s

GIVE_UP_AFTER = timedelta(hours=24)
# After so long without success the channel itself is the news, told through another one.
TROUBLE_AFTER = timedelta(minutes=10)
BASE_S = 2.0
CAP_S = 600.0
SHORTEST_S = 0.5
LONGEST_ASKED_S = 3600.0


@dataclass(frozen=True, slots=True)
class Retry:
    at: datetime | None  # None: given up
    is_dead: bool = False


def plan_retry(
    *,
    attempts: int,
    queued_at: datetime,
    now: datetime,
    is_permanent: bool,
    retry_after_s: float | None = None,
    chance: Chance = random.random,
) -> Retry:
    """After the `attempts`-th failure. A wait that the other side asks for is kept, up to an hour."""
    if is_permanent or now - queued_at >= GIVE_UP_AFTER:
        return Retry(at=None, is_dead=True)
    wait_s = max(SHORTEST_S, full_jitter_s(attempts, base_s=BASE_S, cap_s=CAP_S, chance=chance))
    if retry_after_s is not None:
        wait_s = max(wait_s, min(retry_after_s, LONGEST_ASKED_S))
    # The last try is at the very end of the day, not up to ten minutes before it.
    return Retry(at=min(now + timedelta(seconds=wait_s), queued_at + GIVE_UP_AFTER))


def is_troubled(*, queued_at: datetime, now: datetime, is_dead: bool) -> bool:
    return is_dead or now - queued_at >= TROUBLE_AFTER
