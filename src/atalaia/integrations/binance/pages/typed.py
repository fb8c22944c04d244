"""Numbers as people type them, with a comma or a point; what could mean two things is asked again."""

import re
from typing import Final

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_, Locale

_TYPED: Final = re.compile(r"[0-9]+([.,][0-9]+)?")
_THOUSAND: Final = re.compile(r"[0-9]{1,3}[.,][0-9]{3}")
_THOUSANDS: Final[dict[Locale, str]] = {"en": ",", "pt-BR": "."}


def typed_number(text: str, field: str, *, locale: Locale) -> str:
    """As decimal text. Raises: InvalidField: none, or `1.234` where that may be a thousand."""
    text = text.strip().replace(" ", "")
    if not _TYPED.fullmatch(text):
        raise InvalidField(field, N_("A number as 1234.50 or 1234,50, without anything else."))
    if _THOUSAND.fullmatch(text) and _THOUSANDS[locale] in text:
        raise InvalidField(field, N_("That may be a thousand or a little more than one: write it without separators."))
    return text.replace(",", ".")
