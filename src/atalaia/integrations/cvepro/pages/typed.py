"""Amounts of money as people type them, with a comma or a point; what could mean two things is asked again."""

import re
from decimal import Decimal
from typing import Final

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_, Locale

_TYPED: Final = re.compile(r"[0-9]{1,9}([.,][0-9]{1,6})?", re.ASCII)
_THOUSAND: Final = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}", re.ASCII)
_THOUSANDS: Final[dict[Locale, str]] = {"en": ",", "pt-BR": "."}
_MICROS: Final = 1_000_000


def typed_micros(text: str, field: str, *, locale: Locale) -> int:
    """In millionths; nothing is 0. Raises: InvalidField: no amount, or `1.234` where that may be a thousand."""
    plain = text.strip().removeprefix("R$").replace(" ", "").replace(" ", "")
    if not plain:
        return 0
    if not _TYPED.fullmatch(plain):
        raise InvalidField(field, N_("An amount as 1234.50 or 1234,50, without anything else."))
    if _THOUSAND.fullmatch(plain) and _THOUSANDS[locale] in plain:
        raise InvalidField(field, N_("That may be a thousand or a little more than one: write it without separators."))
    return int(Decimal(plain.replace(",", ".")) * _MICROS)


def typed_whole(text: str, field: str) -> int:
    """Nothing is 0. Raises: InvalidField."""
    plain = text.strip()
    if plain and not (plain.isascii() and plain.isdigit() and len(plain) <= 6):  # noqa: PLR2004 - more is surely a slip
        raise InvalidField(field, N_("A whole number."))
    return int(plain or 0)


def shown_micros(micros: int, *, locale: Locale) -> str:
    """For a field to be typed in: as it would be typed; "" for nothing."""
    if not micros:
        return ""
    text = f"{Decimal(micros) / _MICROS:.6f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"{whole}{',' if locale == 'pt-BR' else '.'}{rest.ljust(2, '0')}"
