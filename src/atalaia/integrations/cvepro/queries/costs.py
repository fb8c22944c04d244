"""SQL on what sessions cost: as they were priced once by a tariff of ours, else as the vendor says.

A session is priced for a `Span`: a tariff, in a zone, from its first instant until the next one's. `priced_by` names it, and is
none in a session that is new or has changed. Those that are not priced for the span they are in are `stale`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, case, false, func, null, or_, select, update
from sqlalchemy.sql.expression import bindparam

from atalaia.integrations.cvepro.queries.lines import COLUMNS
from atalaia.integrations.cvepro.queries.residents import HELD_SESSIONS
from atalaia.integrations.cvepro.tables import sessions
from atalaia.sdk.transaction import Tx

_CENT: Final = 10_000
_c = sessions.c
_HAS_ENDED: Final = _c.stopped_at.is_not(None)


@dataclass(frozen=True, slots=True)
class Span:
    """`until` is not included; none: until further notice."""

    key: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Summed:
    """Of sessions of one `key`. Nothing is summed where nothing is told. `stale`: how many are not in `cost_micros` yet."""

    key: tuple[Any, ...]
    count: int
    energy_mwh: int | None
    cost_micros: int | None
    idle_s: float
    doubtful: int
    unpriced: int  # that have ended, and nobody says what they cost
    stale: int


def summed(
    tx: Tx,
    spans: Sequence[Span],
    conditions: Iterable[ColumnElement[bool]],
    *,
    by: Sequence[ColumnElement[Any]] = (),
    source: FromClause = HELD_SESSIONS,
) -> list[Summed]:
    """One for each key that there is; without `by` always one. `source`: sessions alone are quicker, where they do."""
    cost, is_stale = _cost(spans), _is_stale(spans)
    unpriced = and_(_HAS_ENDED, cost.is_(None), ~is_stale)
    question = select(
        func.count(),
        func.sum(_c.energy_mwh),
        func.sum(cost),
        func.sum(_c.idle_s),
        _how_many(_c.doubts != []),
        _how_many(unpriced),
        _how_many(is_stale),
        *by,
    )
    rows = tx.rows(question.select_from(source).where(*conditions).group_by(*by))
    return [_summed(tuple(row)) for row in rows]


def _summed(row: tuple[Any, ...]) -> Summed:
    count, energy, cost, idle, doubtful, unpriced, stale = row[:7]
    return Summed(
        key=row[7:],
        count=count,
        energy_mwh=None if energy is None else int(energy),
        cost_micros=None if cost is None else int(cost),
        idle_s=float(idle or 0.0),
        doubtful=int(doubtful or 0),
        unpriced=int(unpriced or 0),
        stale=int(stale or 0),
    )


def stale(
    tx: Tx,
    spans: Sequence[Span],
    conditions: Iterable[ColumnElement[bool]] = (),
    *,
    by: Sequence[ColumnElement[Any]] = (),
    below: datetime | None = None,
    limit: int | None = None,
) -> list[Any]:
    """Rows as of `queries.lines`, with the key behind; the newest first. `below`: that did not begin later."""
    keys = [each.label(f"key{index}") for index, each in enumerate(by)]
    question = select(*COLUMNS, _c.changed_at, *keys).select_from(HELD_SESSIONS).where(_is_stale(spans), *conditions)
    if below is not None:
        question = question.where(_c.sort_at <= below)
    return list(tx.rows(question.order_by(_c.sort_at.desc()).limit(limit)))


def unpriced(tx: Tx, spans: Sequence[Span], *, below: datetime | None = None, limit: int) -> list[Any]:
    """Of those that are stale the new and the changed ones, by an index of their own."""
    is_new = and_(_c.priced_by.is_(None), _HAS_ENDED, _c.started_at.is_not(None), _c.sort_at >= spans[0].since)
    question = select(*COLUMNS, _c.changed_at).select_from(HELD_SESSIONS).where(is_new)
    if below is not None:
        question = question.where(_c.sort_at <= below)
    return list(tx.rows(question.order_by(_c.sort_at.desc()).limit(limit)))


@dataclass(frozen=True, slots=True)
class Kept:
    """`parts`: as model.pricing.Part, each a list."""

    id: str
    changed_at: datetime
    priced_by: str
    cost_micros: int | None
    parts: Sequence[Sequence[Any]] | None


def keep(tx: Tx, priced: Sequence[Kept]) -> None:
    """A session that changed since is left."""
    statement = (
        update(sessions)
        .where(_c.id == bindparam("of_id"), _c.changed_at == bindparam("of_change", type_=_c.changed_at.type))
        .values(
            priced_by=bindparam("by", type_=_c.priced_by.type),
            priced_micros=bindparam("cost", type_=_c.priced_micros.type),
            priced_parts=bindparam("parts", type_=_c.priced_parts.type),
        )
    )
    rows = [
        {"of_id": one.id, "of_change": one.changed_at, "by": one.priced_by, "cost": one.cost_micros, "parts": one.parts}
        for one in priced
    ]
    if rows:
        tx.execute(statement, rows)


def is_priced(row: Any, spans: Sequence[Span]) -> bool:
    """Whether a row of `queries.lines` is priced for the span it is in."""
    if row.priced_by is None or row.started_at is None:
        return False
    return any(
        span.key == row.priced_by
        and span.since <= row.started_at
        and (span.until is None or row.started_at < span.until)
        for span in reversed(spans)
    )


def _cost(spans: Sequence[Span]) -> ColumnElement[Any]:
    told = _c.cost_micros + _CENT // 2
    # To the cent, half up, also below zero: a remainder in SQL has the sign of what is divided.
    by_vendor = told - (told % _CENT + _CENT) % _CENT
    if not spans:
        return case((_HAS_ENDED, by_vendor))
    ours = case(*((_is_in(span), case((_c.priced_by == span.key, _c.priced_micros))) for span in reversed(spans)))
    return case(
        (_c.stopped_at.is_(None), null()),
        (or_(_c.started_at.is_(None), _c.sort_at < spans[0].since), by_vendor),
        else_=ours,
    )


def _is_stale(spans: Sequence[Span]) -> ColumnElement[bool]:
    if not spans:
        return false()
    others = (and_(_is_in(span), or_(_c.priced_by.is_(None), _c.priced_by != span.key)) for span in spans)
    return and_(_HAS_ENDED, _c.started_at.is_not(None), or_(*others))


def _is_in(span: Span) -> ColumnElement[bool]:
    return _c.sort_at >= span.since if span.until is None else and_(_c.sort_at >= span.since, _c.sort_at < span.until)


def _how_many(claim: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.sum(case((claim, 1), else_=0))
