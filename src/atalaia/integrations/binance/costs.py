"""What closing costs: the account's commission rates and the funding since an operation was opened, read now and then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from atalaia.integrations.binance.exchange.port import FUNDING_FEE, Account, Weights
from atalaia.integrations.binance.model.history import funding_of
from atalaia.integrations.binance.model.operations import Costs, Watched

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
AT_ONCE: Final = 10  # rates in a run, one after the other: a run is to be over when the next signal comes


async def read_costs(
    account: Account, watched: Sequence[Watched], weights: Weights, *, every_s: float, now: datetime
) -> dict[str, Costs]:
    """By operation: those that were due and could be read within half of the exchange's limit; what was never read first."""
    found = {each.operation.id: each.costs for each in watched}
    before = dict(found)
    if _is_due(watched, "funding_at", every_s, now):
        await _read_funding(account, watched, found, now)
    due = [each for each in watched if _is_old(each.costs.rates_at, every_s, now)]
    for each in sorted(due, key=lambda each: each.costs.rates_at or _NEVER)[:AT_ONCE]:
        if not weights.is_under_half():
            break
        rates = await account.rates(each.operation.symbol)
        found[each.operation.id] = replace(found[each.operation.id], rates=rates, rates_at=now)
    return {id_: costs for id_, costs in found.items() if costs != before[id_]}


async def _read_funding(account: Account, watched: Sequence[Watched], found: dict[str, Costs], now: datetime) -> None:
    """One request for all of the account."""
    since = min(each.operation.opened_at for each in watched)
    income = await account.income(None, since, kind=FUNDING_FEE)
    for each in watched:
        operation = each.operation
        funding = funding_of(operation.symbol, income, since=operation.opened_at)
        found[operation.id] = replace(found[operation.id], funding=funding, funding_at=now)


def _is_due(watched: Sequence[Watched], name: str, every_s: float, now: datetime) -> bool:
    return any(_is_old(getattr(each.costs, name), every_s, now) for each in watched)


def _is_old(read_at: datetime | None, every_s: float, now: datetime) -> bool:
    """Read in the future means that the clock was put back since."""
    return read_at is None or not 0 <= (now - read_at).total_seconds() < every_s
