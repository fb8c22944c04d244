"""Messages of an integration to a person's address, through a kind of channel that another may have given."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from atalaia.core.events import Event


class MessageFate(StrEnum):
    """What became of it; all but the first are final."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    REFUSED = "refused"  # there is nobody at this address: it can't be told there, now or later
    UNKNOWN = "unknown"  # perhaps sent, and not sent again
    FAILED = "failed"  # given up
    EXPIRED = "expired"  # it would have come too late, and was not sent


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKind:
    """A kind of channel that takes messages to an address; `title` is a key of the translations.

    `is_ready`: what it needs is set up. What is sent by one that is not waits for that. `takes_answers`: what is written back is
    told (MessageReceived).
    """

    name: str
    title: str
    is_ready: bool
    takes_answers: bool = False


class MessageDone(Event, frozen=True, kw_only=True):
    """It has come to an end; told in the transaction that keeps so. `status` is for people: the answer, or why not."""

    owner: str
    id: str
    kind: str
    to: str
    fate: MessageFate
    status: str
    at: datetime


class MessageReceived(Event, frozen=True, kw_only=True):
    """Somebody wrote to us by a kind of channel. The same one may be told again, by its `id`; `at` is when it was written."""

    kind: str
    sender: str  # in the form of the kind's `check_address`
    text: str
    id: str
    at: datetime
