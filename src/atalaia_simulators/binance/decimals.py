"""Exact numbers, as the exchange writes them: plain text, never an exponent."""

import re
from decimal import ROUND_HALF_UP, Decimal

MONEY_PLACES = 8
_PLAIN = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?\Z")


def plain(value: Decimal) -> str:
    return format(value, "f")


def rounded(value: Decimal, places: int = MONEY_PLACES) -> Decimal:
    """Half of the last place goes away from zero; there is no negative zero."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + 0


def is_plain(text: str) -> bool:
    return _PLAIN.match(text) is not None


def places_of(value: Decimal) -> int:
    """How many decimals it needs: 0 for 10, 3 for 0.010."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
