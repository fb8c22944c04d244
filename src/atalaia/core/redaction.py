"""Secrets can't be logged: their type prints stars, and their values are starred out of every text that leaves."""

import json
import re
import threading
from collections import OrderedDict
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

STARS = "***"
_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|api[_-]?key|authorization|cookie|signature|^key$|dsn$", re.IGNORECASE
)
# A scheme of any length would be looked for from each letter of a long word: minutes for a megabyte.
_USERINFO = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]{0,30}://)[^/\s@]+@", re.IGNORECASE)

# A part of a path that people don't write by hand: long, with digits or mixed case.
_OPAQUE = re.compile(r"(?=[^/]*[0-9]|[^/]*[a-z][^/]*[A-Z]|[^/]*[A-Z][^/]*[a-z])[^/]{16,}")

# Shorter values would star out half of every text.
_SHORTEST = 6
_MOST_KNOWN = 2000


class Known:
    """Secret values in use, to be found in texts whose words don't tell: a token in a path, a password in an error.

    Each is found as it is, percent-encoded, and escaped as in JSON. The oldest are forgotten beyond a number.
    """

    def __init__(self) -> None:
        self._values: OrderedDict[str, None] = OrderedDict()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()

    def add(self, value: str) -> None:
        if len(value) < _SHORTEST or value in self._values:
            return
        with self._lock:
            self._values[value] = None
            if len(self._values) > _MOST_KNOWN:
                self._values.popitem(last=False)
            self._pattern = None

    def scrub(self, text: str) -> str:
        """The text with stars in place of every value that is known."""
        pattern = self._pattern or self._compile()
        return pattern.sub(STARS, text) if pattern is not None else text

    def _compile(self) -> re.Pattern[str] | None:
        with self._lock:
            forms = {form for value in self._values for form in _forms(value)}
            if forms:
                # The longest first: a value that begins another must not leave its rest.
                self._pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
            return self._pattern


def _forms(value: str) -> set[str]:
    escaped = json.dumps(value)[1:-1]
    return {
        value,
        quote(value, safe=""),
        quote(value),
        quote_plus(value),
        escaped,
        json.dumps(value, ensure_ascii=False)[1:-1],
    }


KNOWN = Known()


def scrub(text: str) -> str:
    """Take every secret value that this process holds, and the user's part of every address, out of a text.

    And every NUL, which PostgreSQL keeps in no text: what is scrubbed comes from outside, and is kept.
    """
    return redact_url(KNOWN.scrub(text)).replace("\0", "\N{REPLACEMENT CHARACTER}")


class Secret:
    """A value that shows itself only when it is asked to; from then on texts are scrubbed of it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        KNOWN.add(value)

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


def shown_address(url: str) -> str:
    """Where an address leads, without what may let anybody in: user, query, and parts of the path that look like a token."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return STARS
    host = parts.netloc.rpartition("@")[2]
    query = f"?{STARS}" if parts.query else ""
    return scrub(f"{parts.scheme}://{host}{_OPAQUE.sub(STARS, parts.path)}{query}")


def redact(value: Any, *, name: str = "") -> Any:
    """A copy of a JSON-like value in which whatever is named like a secret, or known to be one, is stars."""
    if name and _SECRET_NAME.search(name) and value not in (None, "", False, True):
        return STARS
    if isinstance(value, dict):
        return {key: redact(item, name=str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redact(item) for item in value]
    if isinstance(value, str):
        return scrub(value)
    return value
