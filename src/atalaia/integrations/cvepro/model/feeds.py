"""How the reading of a list stands: when it last went well, since when it fails."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CHARGERS: Final = "chargers"
SESSIONS: Final = "sessions"
# What an account may offer besides.
TAGS: Final = "tags"
ACTIVE: Final = "active"
LIVE: Final = "live"


class Line(StrEnum):
    """What the banner says."""

    ONLINE = "online"
    CONNECTING = "connecting"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """`failing_since` is when the first reading that failed began, of those in a row; `failures` counts them."""

    name: str
    good_at: datetime | None = None
    tried_at: datetime | None = None
    failing_since: datetime | None = None
    failures: int = 0
    error: str | None = None
    clock_offset_s: float | None = None

    @property
    def is_stale(self) -> bool:
        return self.failing_since is not None

    @property
    def is_refused(self) -> bool:
        """The account does not offer it: nothing to be alarmed at."""
        return self.error is not None and self.failing_since is None

    @property
    def is_well(self) -> bool:
        return self.good_at is not None and not self.is_stale

    @property
    def line(self) -> Line:
        """One reading that failed may be a hiccup; a second one is an outage."""
        if self.failures > 1:
            return Line.OFFLINE
        return Line.ONLINE if self.good_at is not None and not self.is_stale else Line.CONNECTING

    def went_well(self, *, at: datetime, clock_offset_s: float | None) -> "Feed":
        return Feed(name=self.name, good_at=at, tried_at=at, clock_offset_s=clock_offset_s)

    def failed(self, error: str, *, at: datetime, since: datetime | None = None) -> "Feed":
        """`since`: from when on it did, where it took its time to."""
        failing_since = self.failing_since or since or at
        return replace(self, tried_at=at, failing_since=failing_since, failures=self.failures + 1, error=error)

    def refused(self, error: str, *, at: datetime) -> "Feed":
        return Feed(name=self.name, tried_at=at, error=error)

    def is_outage(self, *, now: datetime, after_s: float) -> bool:
        return self.failing_since is not None and now - self.failing_since >= timedelta(seconds=after_s)
