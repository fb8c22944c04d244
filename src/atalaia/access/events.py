"""What access tells."""

from datetime import datetime

from atalaia.core.events import Event
from atalaia.core.redaction import Secret


class PasswordLinkAsked(Event, frozen=True, kw_only=True):
    """A person without a password at hand asked for a link by e-mail; whoever can send it does.

    `link` is good once, until `expires_at`; it must not be logged, so it is a `Secret`.
    """

    person_id: str
    email: str
    name: str
    locale: str | None
    link: Secret
    expires_at: datetime
