"""What the slice tells."""

from datetime import datetime

from atalaia.core.events import Event


class ForwardingStalled(Event, frozen=True, kw_only=True):
    """Samples wait for a target, and for two minutes nothing could be sent to it."""

    target: str
    since: datetime
    waiting: int
    reason: str


class ForwardingResumed(Event, frozen=True, kw_only=True):
    """A target takes samples (again). Told at a start too, since what was told before it is not known any more."""

    target: str
