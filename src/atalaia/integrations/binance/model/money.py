"""Money: Decimal in the program, plain text in the database and on the wire, never a float."""

import re
from collections.abc import Iterable
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext
from typing import Any, Final

import msgspec

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.integrations.binance.exchange import rules

ZERO: Final = Decimal(0)
# Wide enough that no product of a quantity, a price and a rate is ever rounded.
EXACT: Final = Context(prec=80, traps=[InvalidOperation, DivisionByZero, Overflow])
_MONEY: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,18})?")


def read_money(text: str, field: str) -> Decimal:
    """Raises: InvalidField: no plain decimal number (`1e3` is none)."""
    if not _MONEY.fullmatch(text):
        raise InvalidField(field, N_("a decimal number as text, as 12.50"))
    return Decimal(text)


def plain(value: Decimal) -> str:
    """One text for one value, without an exponent and without zeros at the end."""
    text = rules.plain(value)
    return "0" if text == "-0" else text


def total(values: Iterable[Decimal]) -> Decimal:
    with localcontext(EXACT):
        return sum(values, ZERO)


def as_json(value: Any) -> Any:
    """For a JSON column or answer: structs as objects, money as plain text (never `1E-8`)."""
    return _plainly(msgspec.to_builtins(value, builtin_types=(Decimal,)))


def _plainly(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, dict):
        return {key: _plainly(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plainly(inner) for inner in value]
    return value
