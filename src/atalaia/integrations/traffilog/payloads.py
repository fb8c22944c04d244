"""What an app sends to start a job. Numbers and numeric strings are both taken; the wire gets strings."""

from collections.abc import Mapping
from typing import Any

import msgspec

from atalaia.core.errors import BadInput, InvalidFields
from atalaia.core.translations import N_

Identity = int | str
_MAX_TEXT = 2000
_REQUIRED = ("clientId", "clientName", "vehicleId", "vehicleSettingId", "comment")
_IDS = ("clientId", "vehicleId", "vehicleSettingId")
_MISSING = N_("is missing")
_EMPTY = N_("is empty")
_NO_NUMBER = N_("is neither a number nor a numeric string")
_NO_TEXT = N_("is not a text")
_TOO_LONG = N_("is longer than 2,000 characters")


class SchemeBuilder(msgspec.Struct, frozen=True):
    clientId: Identity  # noqa: N815 - the kept names of the wire
    clientName: Identity  # noqa: N815 - as above
    vehicleId: Identity  # noqa: N815 - as above
    vehicleSettingId: Identity  # noqa: N815 - as above
    comment: str


class CustomCommand(msgspec.Struct, frozen=True):
    clientId: Identity  # noqa: N815 - as above
    clientName: Identity  # noqa: N815 - as above
    vehicleId: Identity  # noqa: N815 - as above
    commandSyntax: str  # noqa: N815 - as above
    comment: str


class VerifyScheme(msgspec.Struct, frozen=True):
    clientId: Identity  # noqa: N815 - as above
    vehicleId: Identity  # noqa: N815 - as above
    vehicleSettingId: Identity  # noqa: N815 - as above


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
    wrong = {name: why for name in _REQUIRED if (why := _what_is_wrong(content, name))}
    if wrong:
        raise InvalidFields(wrong, "Missing, empty or wrong: {names}.")


def _what_is_wrong(content: Mapping[str, Any], name: str) -> str | None:
    value = content.get(name)
    if value is None:
        return _MISSING
    if isinstance(value, str) and not value.strip():
        return _EMPTY
    if name in _IDS:
        is_number = isinstance(value, int) and not isinstance(value, bool)
        return None if is_number or (isinstance(value, str) and value.strip().isdecimal()) else _NO_NUMBER
    if not isinstance(value, str):
        # A client's name is a number now and then; the first apps sent it as one.
        is_named = name == "clientName" and isinstance(value, int) and not isinstance(value, bool)
        return None if is_named else _NO_TEXT
    return _TOO_LONG if len(value) > _MAX_TEXT else None
