"""When much breaks or heals at once: nobody reads five hundred messages on a phone, and the one that counts is among them.

What may go as one with others goes at once as long as few such messages went to its channel lately. From then on it waits
until there is room again, and all that has gathered goes as one. What opens a window (`grouping`) is never held up by this.
"""

from collections import deque
from typing import Final

LATELY_S: Final = 60.0
AT_MOST: Final = 6  # to one channel within LATELY_S


class Lately:
    """What left for each channel; instants are a monotonic clock's seconds."""

    def __init__(self) -> None:
        self._left: dict[str, deque[float]] = {}

    def note(self, channel_id: str, *, at_s: float) -> None:
        self._left.setdefault(channel_id, deque(maxlen=AT_MOST)).append(at_s)

    def full(self, *, now_s: float) -> dict[str, float]:
        """Channels that have no room now, and in how many seconds they will."""
        self._left = {id_: left for id_, left in self._left.items() if now_s - left[-1] < LATELY_S}
        waits = {id_: left[0] + LATELY_S - now_s for id_, left in self._left.items() if len(left) == AT_MOST}
        return {id_: wait_s for id_, wait_s in waits.items() if wait_s > 0}
