"""Quantities as the exchange takes them: whole steps, no more than an order may have, plain decimal text."""

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final

from atalaia.integrations.binance.exchange.port import SymbolRules

# The default context rounds at 28 digits, and so up to a step more than there is.
_EXACT: Final = Context(prec=100, traps=[Inexact, InvalidOperation])


def plain(value: Decimal) -> str:
    """`0.00001`, never `1e-05`; no zeros behind."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def round_down(quantity: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` (> 0) within `quantity` (≥ 0), exact."""
    return _EXACT.multiply(_EXACT.divide_int(quantity, step), step)


def split(quantity: Decimal, rules: SymbolRules) -> list[Decimal]:
    """The quantities of the orders that close it, in whole steps: as few and as even as may be; none for less than a step.

    Their sum is `quantity` rounded down to the step. One below the minimum is left as it is: the exchange decides.
    """
    steps = int(_EXACT.divide_int(quantity, rules.step))
    most = int(_EXACT.divide_int(rules.market_max, rules.step))
    if steps == 0:
        return []
    orders = -(-steps // most)
    each, more = divmod(steps, orders)
    return [_EXACT.multiply(Decimal(each + (number < more)), rules.step) for number in range(orders)]
