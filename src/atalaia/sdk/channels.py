"""The contract of a kind of channel: what people fill in for one, and how a message gets through it.

notify has the outbox, the routes and the record; kinds come from itself and from integrations (`Offer.channels`), by the same way.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atalaia.core.errors import InvalidField
from atalaia.core.translations import Locale

Values = Mapping[str, Any]
# The one target of a kind that does not tell its receivers apart.
WHOLE = ""


@dataclass(frozen=True, slots=True)
class ChannelField:
    """`kind`: text, url, secret, number, choice or lines (a list, one a line). Labels and help are translated.

    A secret field is kept encrypted and never shown again; a change that leaves it out keeps it.
    """

    name: str
    label: str
    kind: str = "text"
    help: str = ""
    default: Any = None
    choices: tuple[tuple[str, str], ...] = ()
    is_required: bool = True
    placeholder: str = ""

    @property
    def is_secret(self) -> bool:
        return self.kind == "secret"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageCheck:
    id: str
    name: str
    state: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageItem:
    """An incident that a message is about; `severity` is info, warning or critical, `url` its page."""

    incident_id: str
    title: str
    severity: str
    state: str
    url: str
    reason: str = ""
    check: MessageCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMessage:
    """`delivery` stays the same over retries: the receiver's key against doubles. `items` has one or more.

    `event` is incident.opened, incident.repeated, incident.recovered or test. `target` is the one receiver that it goes to now.
    All texts are in the channel's language; `short` is for a phone: title, why, link.
    """

    delivery: str
    event: str
    sent_at: datetime
    items: tuple[MessageItem, ...]
    locale: Locale
    title: str
    mark: str
    text: str
    html: str
    short: str
    target: str = WHOLE

    @property
    def marked_title(self) -> str:
        return self.mark + self.title

    @property
    def lead(self) -> MessageItem:
        return self.items[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectMessage:
    """To one address, about no incident; ready to be read. `delivery` stays the same over retries."""

    delivery: str
    to: str
    subject: str
    text: str
    sent_at: datetime


class ChannelKind(ABC):
    """`title` and `hint` are English, keys of the translations.

    `is_repeatable`: a message may be sent again, since the receiver knows its `delivery`, or two do no harm. Without it a
    message goes to a target once, unless it was surely not sent; it is on disk before that it is about to go.

    `takes_direct`: it also takes messages to an address that is no channel's; with `needs_channel` by way of the oldest of
    its channels that is on, whose values it is given.

    `secrets_go_to`: fields that say where a secret is sent. Where one of them changes, secrets that are left out are not kept.
    """

    name: str
    title: str
    hint: str = ""
    fields: Sequence[ChannelField] = ()
    secrets_go_to: Sequence[str] = ()
    is_repeatable: bool = True
    takes_direct: bool = False
    needs_channel: bool = False

    @abstractmethod
    def check(self, values: Values) -> dict[str, Any]:
        """The values as they are kept. Raises: InvalidField."""

    @abstractmethod
    def describe(self, values: Values) -> str:
        """Where it leads, without a secret; for lists."""

    def targets(self, values: Values) -> Sequence[str]:  # noqa: ARG002 - for kinds that tell receivers apart
        """Each gets the message by a `send` of its own, is on record by itself, and is tried again by itself."""
        return (WHOLE,)

    async def await_open(self, values: Values) -> None:  # noqa: B027 - for kinds that can tell
        """Asked right before each message, and before it is on disk that the message is about to go.

        Raises: as `send`; whatever it is, nothing was sent.
        """

    @abstractmethod
    async def send(self, values: Values, message: ChannelMessage) -> str:
        """Deliver to `message.target`, and give the receiver's answer in a few words.

        Raises:
            PermanentFailure, TargetRefused: surely not sent; never try again.
            AuthExpired, and TemporaryFailure that says `may_have_arrived=False`: surely not sent; try again later.
            Anything else: perhaps sent; tried again only where the kind `is_repeatable`.
        """

    def takes_answers(self) -> bool:
        """Whether what people write back is told, as sdk.messages.MessageReceived; quick too."""
        return False

    def is_ready(self) -> bool:
        """Whether what it needs besides a channel is set up; asked often, so it must be quick."""
        return True

    def check_address(self, address: str) -> str:  # noqa: ARG002 - for kinds that take direct messages
        """As it is kept: two ways to write one address come out the same. Raises: InvalidField: `to`."""
        raise InvalidField("to", "This kind of channel takes no messages to an address.")

    async def send_direct(self, values: Values, message: DirectMessage) -> str:
        """As `send`, to `message.to`; `values` are empty unless it `needs_channel`.

        Raises:
            NoSuchAddress: there is nobody at that address.
            Others: as `send`.
        """
        raise NotImplementedError


def take_fields(fields: Sequence[ChannelField], values: Values) -> dict[str, Any]:
    """The known fields with their defaults, as text, number or list. Raises: InvalidField."""
    known = {field.name for field in fields}
    for name in values:
        if name not in known:
            raise InvalidField(name, "This kind of channel has no such field.")
    return {field.name: _take(field, values.get(field.name)) for field in fields}


def _take(field: ChannelField, value: Any) -> Any:
    if isinstance(value, str) and not field.is_secret:
        value = value.strip()
    if value in (None, "", []):
        if field.is_required and field.default is None:
            raise InvalidField(field.name, "This field is needed.")
        return field.default
    match field.kind:
        case "number":
            return _number(field, value)
        case "lines":
            return _lines(field, value)
        case "choice" if value not in {name for name, _ in field.choices}:
            allowed = ", ".join(name for name, _ in field.choices)
            raise InvalidField(field.name, "Choose one of: {allowed}.", allowed=allowed)
    if not isinstance(value, str):
        raise InvalidField(field.name, "This must be text.")
    return value


def _number(field: ChannelField, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise InvalidField(field.name, "This must be a whole number.") from error


def _lines(field: ChannelField, value: Any) -> list[str]:
    parts = value.replace(",", "\n").splitlines() if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise InvalidField(field.name, "This must be a list of texts.")
    return [part.strip() for part in parts if part.strip()]
