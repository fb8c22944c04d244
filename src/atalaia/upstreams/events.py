"""What the slice tells, in the transaction that made it so."""

from datetime import datetime
from typing import Literal

from atalaia.core.events import Event

DEFAULT_ACCOUNT = "default"
Trouble = Literal["breaker", "login"]


class UpstreamFailing(Event, frozen=True, kw_only=True):
    """It does not answer (`breaker`: it is left alone for a while), or does not let us in (`login`). Told once."""

    upstream: str
    title: str
    account: str
    trouble: Trouble
    reason: str  # redacted
    runbook: str  # with the contacts below it; Markdown
    at: datetime

    @property
    def shown_name(self) -> str:
        """With the account where it is not the only one of its name."""
        return self.title if self.account == DEFAULT_ACCOUNT else f"{self.title} ({self.account})"


class UpstreamBack(Event, frozen=True, kw_only=True):
    upstream: str
    title: str
    account: str
    trouble: Trouble
    at: datetime
