"""What an operation would bring, or has brought: its legs, and the parts of the sum."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Final

import msgspec

from atalaia.core.translations import N_, Locale
from atalaia.integrations.binance.exchange.port import Side
from atalaia.integrations.binance.model.history import Trade
from atalaia.integrations.binance.model.legs import Intent, LegPlan, executed_of
from atalaia.integrations.binance.model.money import EXACT, total
from atalaia.integrations.binance.model.operations import Operation, Watched
from atalaia.integrations.binance.model.result import LegNow
from atalaia.integrations.binance.pages.figures import NOTHING, Figure, amount, exact, signed

_DIGITS: Final = Decimal("1e-8")


class LegLine(msgspec.Struct, frozen=True):
    """`exit` is the mark price while it is open. `elsewhere` was closed by somebody else; `left` is not closed yet."""

    side: str
    amount: str
    entry: str
    exit: str
    pnl: Figure = NOTHING
    elsewhere: str = ""
    left: str = ""


class PartLine(msgspec.Struct, frozen=True):
    """`decides`: upon this the operation is closed."""

    label: str
    value: Figure
    decides: bool = False


class Brought(msgspec.Struct, frozen=True):
    legs: Sequence[LegLine]
    parts: Sequence[PartLine] = ()
    others: Sequence[str] = ()  # fees in another asset


def of_active(watched: Watched, locale: Locale) -> Brought | None:
    result, is_gross = watched.standing.result, watched.operation.wishes.is_gross
    if result is None:
        return None
    mark = exact(result.mark, locale)
    legs = [
        _open_leg(side, leg, mark, locale)
        for side, leg in ((Side.LONG, result.long), (Side.SHORT, result.short))
        if leg is not None
    ]
    parts = [
        PartLine(N_("Gross, at the mark price"), signed(result.gross, locale), decides=is_gross),
        PartLine(N_("Fees to close both"), signed(_paid(result.fees), locale)),
        PartLine(N_("Funding since it was entered"), signed(result.funding, locale)),
        PartLine(N_("Net"), signed(result.net, locale), decides=not is_gross),
    ]
    return Brought(legs, parts)


def _open_leg(side: Side, leg: LegNow, mark: str, locale: Locale) -> LegLine:
    return LegLine(str(side), exact(leg.amount, locale), exact(leg.entry, locale), mark, signed(leg.pnl, locale))


def of_driven(operation: Operation, orders: Sequence[Intent], locale: Locale) -> Brought:
    """While it is being closed: by its plan and its orders, since how it stood before says nothing any more."""
    return Brought([_driven_leg(plan, orders, locale) for plan in operation.plan])


def _driven_leg(plan: LegPlan, orders: Sequence[Intent], locale: Locale) -> LegLine:
    mine = [each for each in orders if each.side is plan.side and each.average_price is not None]
    done = executed_of(plan.side, orders)
    with localcontext(EXACT):
        paid = total(each.executed * (each.average_price or 0) for each in mine)
        mean = (paid / done).quantize(_DIGITS) if done and paid else None
        left = plan.quantity - done
    return LegLine(
        str(plan.side),
        exact(plan.quantity, locale),
        exact(plan.entry, locale),
        exact(mean, locale),
        left=exact(left, locale) if left > 0 else "",
    )


def of_closed(trade: Trade, locale: Locale) -> Brought:
    legs = [
        LegLine(
            str(leg.side),
            exact(leg.quantity, locale),
            exact(leg.entry, locale),
            exact(leg.exit, locale),
            signed(leg.realised, locale),
            exact(leg.elsewhere, locale) if leg.elsewhere else "",
        )
        for leg in trade.legs
    ]
    is_gross = trade.wishes.is_gross
    parts = [
        PartLine(N_("Gross, as realised"), signed(trade.gross, locale), decides=is_gross),
        PartLine(N_("Fees"), signed(_paid(trade.fees), locale)),
        PartLine(N_("Funding"), signed(trade.funding, locale)),
        PartLine(N_("Net"), signed(trade.net, locale), decides=not is_gross),
    ]
    others = [f"{amount(Decimal(value), locale)} {asset}" for asset, value in trade.other_fees.items()]
    return Brought(legs, parts, others)


def _paid(fees: Decimal | None) -> Decimal | None:
    return None if fees is None else -fees
