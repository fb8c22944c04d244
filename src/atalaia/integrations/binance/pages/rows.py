"""An active operation as lists show it."""

from datetime import datetime
from decimal import Decimal, localcontext

import msgspec

from atalaia.core.translations import Locale
from atalaia.integrations.binance.model.history import margin_asset
from atalaia.integrations.binance.model.money import EXACT
from atalaia.integrations.binance.model.operations import Watched
from atalaia.integrations.binance.model.result import LegNow
from atalaia.integrations.binance.model.states import DRIVEN
from atalaia.integrations.binance.model.verdicts import Verdict, distance_of, ratio_of, verdict_of
from atalaia.integrations.binance.operations import Shown
from atalaia.integrations.binance.pages.figures import Figure, amount, exact, percent, signed
from atalaia.integrations.binance.pages.words import REASONS, UNDECIDED, VERDICTS


class LegCell(msgspec.Struct, frozen=True):
    amount: str
    entry: str
    pnl: Figure


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`progress` is 0 to 1 of the way to the target; `trouble`, `reason` and `would_close` are words, or empty."""

    id: str
    href: str
    name: str
    symbol: str
    asset: str
    account: str
    verdict: str
    badge: str
    word: str
    long: LegCell | None
    short: LegCell | None
    result: Figure
    percent: str
    target: str
    stop_loss: str
    trailing: str
    peak: str
    distance: str
    is_reached: bool
    progress: float | None
    trouble: str
    would_close: str
    is_stopped: bool
    is_dry_run: bool
    is_gross: bool
    has_fault: bool
    opened_at: datetime
    changed_at: datetime | None
    rank: tuple[int, Decimal]


_ORDER = tuple(Verdict)


def row_of(shown: Shown, locale: Locale) -> Row:
    watched = shown.watched
    operation, standing, wishes = watched.operation, watched.standing, watched.operation.wishes
    verdict = verdict_of(watched)
    is_driven = operation.state in DRIVEN  # how it stood before says nothing any more
    value, result = (None, None) if is_driven else (standing.current_pnl, standing.result)
    ratio, distance = ratio_of(value, result.basis if result else None), None if is_driven else distance_of(watched)
    return Row(
        id=operation.id,
        href=f"/binance/operations/{operation.id}",
        name=operation.name,
        symbol=operation.symbol,
        asset=margin_asset(operation.symbol),
        account=shown.account,
        verdict=str(verdict),
        badge=VERDICTS[verdict][0],
        word=VERDICTS[verdict][1],
        long=_leg(result.long if result else None, locale),
        short=_leg(result.short if result else None, locale),
        result=signed(value, locale),
        percent=percent(ratio, locale),
        target=amount(wishes.profit_target, locale),
        stop_loss="" if wishes.stop_loss is None else amount(-wishes.stop_loss, locale),
        trailing="" if wishes.trailing is None else amount(wishes.trailing, locale),
        peak="" if standing.peak is None else amount(standing.peak, locale),
        distance=amount(distance, locale),
        is_reached=distance is not None and distance <= 0,
        progress=None if is_driven else _progress(watched),
        trouble=UNDECIDED[standing.undecided] if standing.undecided and verdict is not Verdict.STOPPED else "",
        would_close=REASONS[standing.would_close] if standing.would_close else "",
        is_stopped=verdict is Verdict.STOPPED,
        is_dry_run=operation.dry_run,
        is_gross=wishes.is_gross,
        has_fault=operation.has_fault,
        opened_at=operation.opened_at,
        changed_at=standing.at,
        rank=(_ORDER.index(verdict), ratio or Decimal(0)),
    )


def _leg(leg: LegNow | None, locale: Locale) -> LegCell | None:
    if leg is None:
        return None
    return LegCell(exact(leg.amount, locale), exact(leg.entry, locale), signed(leg.pnl, locale))


def _progress(watched: Watched) -> float | None:
    value, target = watched.standing.current_pnl, watched.operation.wishes.profit_target
    if value is None:
        return None
    with localcontext(EXACT):
        return float(max(Decimal(0), min(Decimal(1), value / target)))
