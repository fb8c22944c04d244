"""What captures tell the slices above; handlers run in the transaction of the import or of the choice."""

from datetime import datetime

from atalaia.core.events import Event


class TemplatesChanged(Event, frozen=True):
    """Other templates are in force for these actions of an upstream; workers get them with their next context."""

    upstream: str
    actions: list[str]
    capture_id: str | None  # of the import that did it; None: a version was chosen by hand
    by: str
    at: datetime
