"""Phone numbers as people write them, and as they are kept: `+` and the digits of E.164. Pure."""

import re
from typing import Final

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

FIELD: Final = "numbers"
MOST: Final = 20
_DECORATION: Final = re.compile(r"[ \t\u00a0().\-/]")
# E.164 allows 15 digits; no country's whole numbers have fewer than 7.
_DIGITS: Final = re.compile(r"[1-9][0-9]{6,14}\Z", re.ASCII)
# 55, an area code without zeros, and 8 digits, or 9 that begin with 9. Whether a line has its ninth digit on WhatsApp
# depends on when it registered, so it is left as it is given.
_BRAZIL: Final = re.compile(r"55[1-9][1-9](9[0-9]{8}|[2-9][0-9]{7})\Z", re.ASCII)
_HINT: Final = N_("With the country code, as +55 11 91234-5678.")


def read_numbers(texts: list[str]) -> list[str]:
    """Each once, in their order. Raises: InvalidField."""
    found = list(dict.fromkeys(read_number(text) for text in texts))
    if not found:
        raise InvalidField(FIELD, N_("This field is needed."))
    if len(found) > MOST:
        raise InvalidField(FIELD, N_("at most {limit} numbers"), limit=MOST)
    return found


def read_number(text: str, field: str = FIELD) -> str:
    """Without a `+` only a whole Brazilian number is taken: 11 91234-5678 would else be one of another country.

    Raises: InvalidField.
    """
    plain = _DECORATION.sub("", text)
    has_plus, digits = plain.startswith("+"), plain.removeprefix("+")
    is_brazilian = digits.startswith("55") and _BRAZIL.match(digits) is not None
    is_foreign = has_plus and not digits.startswith("55") and _DIGITS.match(digits) is not None
    if not (is_brazilian or is_foreign):
        raise InvalidField(field, N_("{text} is not a phone number with its country code."), text=text[:40], hint=_HINT)
    return f"+{digits}"


def digits_of(number: str) -> str:
    """As the Evolution API wants it."""
    return number.removeprefix("+")
