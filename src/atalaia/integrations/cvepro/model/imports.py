"""An import of the history: a span of days, read a few at a time; what is read is kept together with how far it got."""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from msgspec.structs import replace

DAYS_AT_ONCE: Final = 7
LONGEST_DAYS: Final = 3660


class ImportState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by a person; it can be gone on with


class Import(msgspec.Struct, frozen=True, kw_only=True):
    """Both days are included; `next_day` is the first that is not read yet. `error`: why it waits."""

    id: str
    first_day: date
    last_day: date
    next_day: date
    state: ImportState
    found: int = 0
    changed: int = 0
    error: str | None = None
    asked_by: str
    created_at: datetime
    updated_at: datetime

    @property
    def step(self) -> tuple[date, date]:
        """The days to read next."""
        return self.next_day, min(self.last_day, self.next_day + timedelta(days=DAYS_AT_ONCE - 1))

    @property
    def share(self) -> float:
        """How far it is, 0..1."""
        return ((self.next_day - self.first_day).days) / ((self.last_day - self.first_day).days + 1)

    def stepped(self, *, found: int, changed: int, now: datetime) -> "Import":
        next_day = self.step[1] + timedelta(days=1)
        is_done = next_day > self.last_day
        return replace(
            self,
            next_day=next_day,
            state=ImportState.DONE if is_done else self.state,
            found=self.found + found,
            changed=self.changed + changed,
            error=None,
            updated_at=now,
        )
