"""What an importer reads out of a file: messages as they went over the line, secrets still in them.

A `Reading` never leaves memory: `model.secrets` makes a `Recording` of it, and only that is kept, shown or compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

import msgspec

from atalaia.core.errors import InvalidField

Format = Literal["har", "net-export", "sniffer"]
Direction = Literal["sent", "received"]
Via = Literal["socket", "http"]

# Far above what a person clicks together; beyond, the file is another kind of recording.
MAX_MESSAGES: Final = 20_000
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024


class CaptureRefused(InvalidField):
    """A file that holds no capture that can be used; the message says why, the hint how to record one that can."""

    code = "capture_refused"

    def __init__(self, message: str, *, hint: str | None = None, **params: object) -> None:
        super().__init__("file", message, hint=hint, **params)


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was on the line. `address` is the whole URL, with whatever secret stands in it."""

    direction: Direction
    via: Via
    address: str
    text: str
    at: datetime | None = None
    connection: int = 0  # messages of one socket share it: an answer is looked for among them


@dataclass(slots=True)
class Reading:
    """`headers` are values of headers and cookies that may be secrets; they are only looked for, never kept."""

    format: Format
    browser: str = ""
    messages: list[Message] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    notes: list["Note"] = field(default_factory=list)

    def add(self, message: Message) -> None:
        if len(self.messages) >= MAX_MESSAGES:
            raise CaptureRefused(
                "more than {limit} messages: record only the steps that are wanted", limit=MAX_MESSAGES
            )
        self.messages.append(message)


class Note(msgspec.Struct, frozen=True):
    """Something a person should know of an import; `text` is English, a key of the translations."""

    text: str
    params: dict[str, str | int] = {}


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A message without its secrets; every other character is as it was on the line."""

    n: int  # from 1, in the order of the recording
    direction: Direction
    via: Via
    address: str
    action: str | None
    flow_id: str | None
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    format: Format
    browser: str
    frames: Sequence[Frame]
    notes: Sequence[Note]
