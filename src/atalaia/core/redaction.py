"""Secrets can't be logged: their type prints stars."""

import re
from typing import Any

STARS = "***"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api[_-]?key|authorization|cookie|signature|^key$|dsn$", re.IGNORECASE
)
_USERINFO = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*://)[^/\s@]+@", re.IGNORECASE)


class Secret:
    """A value that shows itself only when it is asked to."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return STARS

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def redact_url(text: str) -> str:
    """Take user name and password out of every address in a text."""
    return _USERINFO.sub(rf"\g<scheme>{STARS}@", text)


def redact(value: Any, *, name: str = "") -> Any:
    """A copy of a JSON-like value in which whatever is named like a secret is stars."""
    if name and _SECRET_NAME.search(name) and value not in (None, "", False, True):
        return STARS
    if isinstance(value, dict):
        return {key: redact(item, name=str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return redact_url(value)
    return value
