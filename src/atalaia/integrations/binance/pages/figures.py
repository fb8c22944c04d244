"""Money, prices and quantities as a reader of one language sees them; exact, never through a float."""

from decimal import Decimal, localcontext
from typing import Final

import msgspec

from atalaia.core.formats import DASH, decimal
from atalaia.core.translations import Locale
from atalaia.integrations.binance.model.money import EXACT, plain

_CENT: Final = Decimal("0.01")
_MOST: Final = 8
_MINUS: Final = "−"


class Figure(msgspec.Struct, frozen=True):
    """`sign` is up, down or flat; `exact` has every digit, for whoever points at it."""

    text: str
    sign: str = "flat"
    exact: str = ""


NOTHING: Final = Figure(DASH)


def signed(value: Decimal | None, locale: Locale) -> Figure:
    """A result: "+12.34", "−0.0051"."""
    if value is None:
        return NOTHING
    mark, sign = ("+", "up") if value > 0 else (_MINUS, "down") if value < 0 else ("", "flat")
    return Figure(mark + amount(abs(value), locale), sign, plain(value))


def amount(value: Decimal | None, locale: Locale) -> str:
    """Money: two decimals, more only where it is less than a hundredth."""
    if value is None:
        return DASH
    text = decimal(abs(value), most=2 if value == 0 or abs(value) >= _CENT else _MOST, locale=locale)
    return f"{_MINUS}{text}" if value < 0 else text


def exact(value: Decimal | None, locale: Locale) -> str:
    """A price or a quantity: as many decimals as it has."""
    return DASH if value is None else decimal(value, least=0, most=_MOST, locale=locale)


def percent(ratio: Decimal | None, locale: Locale) -> str:
    """With its sign: "+1.25%"."""
    if ratio is None:
        return DASH
    with localcontext(EXACT):
        scaled = ratio * 100
    return f"{signed(scaled, locale).text}%"
