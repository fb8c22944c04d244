"""What a kind of channel is made of: fields for its form, a check of their values, and the transport."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

from atalaia.core.errors import InvalidField
from atalaia.notify.model.message import Outgoing
from atalaia.outbound.guard import Guard
from atalaia.outbound.http import HttpClient


@dataclass(frozen=True, slots=True)
class Field:
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


@dataclass(frozen=True, slots=True)
class Tools:
    """What transports work with. `threads` are for libraries that block."""

    http: HttpClient
    guard: Guard
    threads: Executor


Values = Mapping[str, Any]


class ChannelKind(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def label(self) -> str: ...

    @property
    def fields(self) -> Sequence[Field]: ...

    def validate(self, values: Values) -> dict[str, Any]:
        """The values as they are kept. Raises: InvalidField."""

    def describe(self, values: Values) -> str:
        """Where it leads, without a secret; for lists."""

    async def send(self, values: Values, message: Outgoing, tools: Tools) -> str:
        """Deliver, and give the receiver's answer in a few words.

        Raises:
            PermanentFailure, TargetRefused: never try again.
            TemporaryFailure: try again, perhaps after what it says.
        """


def take_fields(fields: Sequence[Field], values: Values) -> dict[str, Any]:
    """The known fields with their defaults, as text, number or list. Raises: InvalidField."""
    known = {field.name for field in fields}
    for name in values:
        if name not in known:
            raise InvalidField(name, "This kind of channel has no such field.")
    return {field.name: _take(field, values.get(field.name)) for field in fields}


def _take(field: Field, value: Any) -> Any:
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


def _number(field: Field, value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise InvalidField(field.name, "This must be a whole number.") from error


def _lines(field: Field, value: Any) -> list[str]:
    parts = value.replace(",", "\n").splitlines() if isinstance(value, str) else value
    if not isinstance(parts, list) or not all(isinstance(part, str) for part in parts):
        raise InvalidField(field.name, "This must be a list of texts.")
    return [part.strip() for part in parts if part.strip()]
