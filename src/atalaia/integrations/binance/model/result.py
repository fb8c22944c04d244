"""What an operation would bring if it were closed now, with each part of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

from atalaia.integrations.binance.exchange.port import Position, Rates, Side
from atalaia.integrations.binance.model.money import EXACT, ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class LegNow:
    """One leg as it stands; `pnl` at the mark price, before anything is paid."""

    amount: Decimal
    entry: Decimal
    pnl: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`fees` > 0 would be paid to close, None while the account's rate is not known; `funding` > 0 came in since it opened.

    `basis` is what both legs cost at their entries: the result in percent is of that.
    """

    long: LegNow | None
    short: LegNow | None
    mark: Decimal
    gross: Decimal
    fees: Decimal | None
    funding: Decimal | None
    net: Decimal | None
    basis: Decimal

    def value(self, *, is_gross: bool) -> Decimal | None:
        """What is decided upon."""
        return self.gross if is_gross else self.net


def result_of(
    positions: Iterable[Position], *, mark: Decimal, rates: Rates | None, funding: Decimal | None
) -> Result | None:
    """Of the legs of one symbol; None where no leg is open."""
    with localcontext(EXACT):
        legs = {position.side: _leg(position, mark) for position in positions}
        if not legs:
            return None
        gross = sum((leg.pnl for leg in legs.values()), ZERO)
        size = sum((leg.amount for leg in legs.values()), ZERO) * mark
        fees = None if rates is None else size * rates.taker
        net = None if fees is None or funding is None else gross - fees + funding
        return Result(
            long=legs.get(Side.LONG),
            short=legs.get(Side.SHORT),
            mark=mark,
            gross=gross,
            fees=fees,
            funding=funding,
            net=net,
            basis=sum((leg.amount * leg.entry for leg in legs.values()), ZERO),
        )


def _leg(position: Position, mark: Decimal) -> LegNow:
    rise = mark - position.entry if position.side is Side.LONG else position.entry - mark
    return LegNow(amount=position.amount, entry=position.entry, pnl=position.amount * rise)
