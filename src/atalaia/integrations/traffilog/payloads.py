"""What an app sends to start a job. Numbers and numeric strings are both taken; the wire gets strings."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from atalaia.core.errors import BadInput, InvalidFields
from atalaia.core.translations import N_
from atalaia.sdk.jobs import JobFailed

_MAX_TEXT: Final = 2000
_NUMBER: Final = r"^\s*[0-9]{1,30}\s*$"
_SOMETHING: Final = r"\S"
Identity = Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern=_NUMBER)]
Name = Annotated[int, Meta(ge=0)] | Annotated[str, Meta(pattern=_SOMETHING, max_length=_MAX_TEXT)]
Text = Annotated[str, Meta(pattern=_SOMETHING, max_length=_MAX_TEXT)]
_REQUIRED = ("clientId", "clientName", "vehicleId", "vehicleSettingId", "comment")
_IDS = ("clientId", "vehicleId", "vehicleSettingId")
_MISSING = N_("is missing")
_EMPTY = N_("is empty")
_NO_NUMBER = N_("is neither a number nor a numeric string")
_NO_TEXT = N_("is not a text")
_TOO_LONG = N_("is longer than 2,000 characters")
_TWICE = N_("is there twice")


class SchemeBuilder(msgspec.Struct, frozen=True):
    clientId: Identity  # noqa: N815 - the kept names of the wire
    clientName: Name  # noqa: N815 - as above
    vehicleId: Identity  # noqa: N815 - as above
    vehicleSettingId: Identity  # noqa: N815 - as above
    comment: Text


class CustomCommand(msgspec.Struct, frozen=True):
    clientId: Identity  # noqa: N815 - as above
    clientName: Name  # noqa: N815 - as above
    vehicleId: Identity  # noqa: N815 - as above
    commandSyntax: Text  # noqa: N815 - as above
    comment: Text


class VerifyScheme(msgspec.Struct, frozen=True):
    clientId: Identity  # noqa: N815 - as above
    vehicleId: Identity  # noqa: N815 - as above
    vehicleSettingId: Identity  # noqa: N815 - as above


_FIELDS: Final = frozenset(
    name for shape in (SchemeBuilder, CustomCommand, VerifyScheme) for name in shape.__struct_fields__
)


def client_key(payload: SchemeBuilder | CustomCommand) -> str:
    """The third party has one review slot for each client: its jobs run one after the other."""
    return f"traffilog:client:{str(payload.clientId).strip()}"


def check_start(body: bytes) -> None:
    """The kept start request.

    Raises:
        BadInput: it is no JSON object.
        InvalidFields: missing, empty or wrong ones, all named.
    """
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise BadInput("This is not JSON: {why}", why=str(error)) from error
    if not isinstance(content, dict):
        raise BadInput("This is not a JSON object.")
    repeated = names_twice(body)
    wrong = {name: why for name in _REQUIRED if (why := _TWICE if name in repeated else _what_is_wrong(content, name))}
    if wrong:
        raise InvalidFields(wrong, "Missing, empty or wrong: {names}.")


def check_once(payload_raw: str) -> None:
    """Before anything is done with a payload, wherever it came from.

    Raises:
        JobFailed: a field is there twice: which of its values is meant, nobody knows.
    """
    if repeated := names_twice(payload_raw) & _FIELDS:
        raise JobFailed(
            N_("The payload has {names} more than once."),
            failure="bad_payload",
            names=", ".join(sorted(repeated)),
            hint=N_("Start a new job that says each value once."),
        )


def names_twice(body: bytes | str) -> set[str]:
    """Keys of a JSON object that it has more than once; a parser keeps the last and says nothing."""
    pairs = json.loads(body, object_pairs_hook=list, parse_int=str, parse_float=str)
    return {name for name, count in Counter(name for name, _ in pairs).items() if count > 1}


def _what_is_wrong(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is None:
        return _MISSING
    if isinstance(value, str) and not value.strip():
        return _EMPTY
    if name in _IDS:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return None if isinstance(text, str) and re.match(_NUMBER, text) else _NO_NUMBER
    if not isinstance(value, str):
        # A client's name is a number now and then; the first apps sent it as one.
        is_named = name == "clientName" and isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return None if is_named else _NO_TEXT
    return _TOO_LONG if len(value) > _MAX_TEXT else None
