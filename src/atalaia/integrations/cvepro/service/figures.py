"""Sums over sessions: energy, cost, idle time; by flat, charger or whatever they are asked by."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause

from atalaia.integrations.cvepro.model.pricing import Price
from atalaia.integrations.cvepro.queries import costs
from atalaia.integrations.cvepro.queries.costs import Summed
from atalaia.integrations.cvepro.queries.residents import HELD_SESSIONS
from atalaia.integrations.cvepro.service.prices import Prices
from atalaia.sdk.transaction import Tx

_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Figures:
    """Of sessions of one key, those under way too; nothing is summed where nothing is told."""

    count: int = 0
    energy_mwh: int | None = None
    cost_micros: int | None = None
    idle_s: float = 0.0
    doubtful: int = 0
    unpriced: int = 0  # that have ended, and nobody says what they cost


def figures(
    tx: Tx,
    priced: Prices,
    conditions: Sequence[ColumnElement[bool]],
    *,
    by: Sequence[ColumnElement[Any]] = (),
    source: FromClause = HELD_SESSIONS,
) -> dict[tuple[Any, ...], Figures]:
    """By key; without `by` always one, of `()`. Summed by the store, but for what is not priced yet."""
    for _ in range(_TRIES):
        found = costs.summed(tx, priced.spans, conditions, by=by, source=source)
        waiting = sum(each.stale for each in found)
        rows = costs.stale(tx, priced.spans, conditions, by=by) if waiting else []
        if len(rows) == waiting:  # else some were priced between the two questions
            break
    made = {each.key: _figures(each) for each in found}
    for row in rows:
        key = tuple(getattr(row, f"key{index}") for index in range(len(by)))
        price = priced.of_row(tx, row)[0]
        made[key] = _with(made[key], price)
    return made


def _figures(one: Summed) -> Figures:
    return Figures(one.count, one.energy_mwh, one.cost_micros, one.idle_s, one.doubtful, one.unpriced)


def _with(one: Figures, price: Price | None) -> Figures:
    if price is None:
        return dataclasses.replace(one, unpriced=one.unpriced + 1)
    return dataclasses.replace(one, cost_micros=(one.cost_micros or 0) + price.cost_micros)


def added(one: Figures, other: Figures) -> Figures:
    return Figures(
        count=one.count + other.count,
        energy_mwh=_sum(one.energy_mwh, other.energy_mwh),
        cost_micros=_sum(one.cost_micros, other.cost_micros),
        idle_s=one.idle_s + other.idle_s,
        doubtful=one.doubtful + other.doubtful,
        unpriced=one.unpriced + other.unpriced,
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else one + other
