"""The first message goes at once; what breaks with it in the next 30 s follows as one.

A window belongs to a channel. It opens with a message that goes at once, and ends after its time, or as soon as all that
was told in it has recovered: what breaks then is a first again.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

_DIFFER = timedelta(seconds=10)  # clocks of two hubs


@dataclass(frozen=True, slots=True)
class Window:
    opened_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Placement:
    due_at: datetime
    is_held: bool  # waits for the end of the window, to go with the others
    window: Window | None


def place_opening(window: Window | None, *, now: datetime, group_wait_s: int) -> Placement:
    if group_wait_s <= 0:
        return Placement(now, is_held=False, window=window)
    # One that opened later than now is from before the clock was set back: what breaks now is not held until its end.
    if window is None or not window.opened_at - _DIFFER <= now < window.until_at:
        return Placement(now, is_held=False, window=Window(now, now + timedelta(seconds=group_wait_s)))
    return Placement(window.until_at, is_held=True, window=window)
