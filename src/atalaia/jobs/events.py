"""What jobs tell those above."""

from datetime import datetime

from atalaia.core.events import Event


class JobEnded(Event, frozen=True, kw_only=True):
    """`state` is succeeded, failed, dead, unknown or cancelled; told in the transaction in which the job ends."""

    id: str
    type: str
    queue: str
    state: str
    attempts: int
    error: str | None  # JSON: class, message, hint
    ended_at: datetime
