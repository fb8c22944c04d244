"""A message to a person's address: what is kept of it until it has come to an end."""

from datetime import datetime
from typing import Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

LONGEST_SUBJECT: Final = 200
LONGEST_TEXT: Final = 4000
_SHOWN: Final = 2  # letters or digits of an address, for who may not see whose it is
_STARS: Final = "•••"


class Direct(msgspec.Struct, frozen=True, kw_only=True):
    """`owner` is the integration that sends it; `address` as the kind of channel writes it."""

    id: str
    owner: str
    kind: str
    address: str
    subject: str
    text: str
    queued_at: datetime
    not_before: datetime
    expires_at: datetime | None = None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


def lane_of(kind: str) -> str:
    """Stands for a channel in the outbox: order is kept within it for each address."""
    return f"direct:{kind}"


def check_subject(text: str) -> str:
    """Raises: InvalidField."""
    line = " ".join(text.split())
    if not line or len(line) > LONGEST_SUBJECT or not line.isprintable():
        raise InvalidField("subject", N_("one line of 1 to {limit} characters"), limit=LONGEST_SUBJECT)
    return line


def check_text(text: str) -> str:
    """Raises: InvalidField."""
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise InvalidField("text", N_("a text of 1 to {limit} characters"), limit=LONGEST_TEXT)
    return text


def masked(address: str) -> str:
    """`+55•••78`, `a•••@x.test`: enough to tell two apart, and not whose it is."""
    local, at, domain = address.rpartition("@")
    if at:
        return f"{local[:1]}{_STARS}@{domain}"
    return f"{address[: _SHOWN + 1]}{_STARS}{address[-_SHOWN:]}"


def without_address(text: str, address: str) -> str:
    """The other side may say the address back to us, with or without its `+`."""
    shown = masked(address)
    return text.replace(address, shown).replace(address.removeprefix("+"), shown) if address else text
