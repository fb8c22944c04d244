"""SQL on what is over: history, events, points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, delete, insert, select

from atalaia.core.ids import new_id
from atalaia.integrations.binance.model.deciding import Reason, Wishes
from atalaia.integrations.binance.model.history import FillKept, LegClosed, Trade
from atalaia.integrations.binance.model.money import as_json
from atalaia.integrations.binance.model.operations import OperationEvent, Point
from atalaia.integrations.binance.tables import events, history, points
from atalaia.sdk.transaction import Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeFilter:
    """`since` included, `until` not; `account` is an id or a name."""

    since: datetime | None = None
    until: datetime | None = None
    symbol: str | None = None
    account: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            found.append(history.c.closed_at >= self.since)
        if self.until is not None:
            found.append(history.c.closed_at < self.until)
        if self.symbol:
            found.append(history.c.symbol == self.symbol)
        if self.account:
            found.append((history.c.account == self.account) | (history.c.account_id == self.account))
        return found


def add_trade(tx: Tx, trade: Trade) -> None:
    """Raises: sqlalchemy's IntegrityError: it is there already."""
    wishes = trade.wishes
    row = {
        **{name: getattr(trade, name) for name in ("id", "account_id", "account", "symbol", "name", "net", "basis")},
        **{name: getattr(trade, name) for name in ("gross", "fees", "funding", "opened_at", "closed_at")},
        "reason": str(trade.reason),
        "profit_target": wishes.profit_target,
        "stop_loss": wishes.stop_loss,
        "trailing": wishes.trailing,
        "is_gross": wishes.is_gross,
        "other_fees": dict(trade.other_fees),
        "legs": as_json(trade.legs),
        "fills": as_json(trade.fills),
    }
    tx.execute(insert(history), row)


def trade(tx: Tx, id: str) -> Trade | None:
    row = tx.one(select(history).where(history.c.id == id))
    return None if row is None else _trade(row)


def trades(tx: Tx, wanted: TradeFilter, *, limit: int | None = None, after: str | None = None) -> list[Trade]:
    """Newest first, from past the id `after`; one more than `limit`, to see whether there is a next page."""
    c = history.c
    question = select(history).where(*wanted.conditions()).order_by(c.closed_at.desc(), c.id.desc())
    if after is not None:
        past = tx.one(select(c.closed_at, c.id).where(c.id == after))
        if past is not None:
            is_older = c.closed_at < past.closed_at
            question = question.where(is_older | ((c.closed_at == past.closed_at) & (c.id < past.id)))
    if limit is not None:
        question = question.limit(limit + 1)
    return [_trade(row) for row in tx.rows(question)]


@dataclass(frozen=True, slots=True)
class TradeMoney:
    """What the totals are made of."""

    account: str
    symbol: str
    closed_at: datetime
    gross: Decimal
    fees: Decimal
    funding: Decimal
    net: Decimal


def money(tx: Tx, wanted: TradeFilter) -> list[TradeMoney]:
    """Summed up outside: only there is every digit kept on both engines."""
    c = history.c
    question = select(c.account, c.symbol, c.closed_at, c.gross, c.fees, c.funding, c.net).where(*wanted.conditions())
    return [TradeMoney(**row._asdict()) for row in tx.rows(question.order_by(c.closed_at))]


def choices(tx: Tx) -> tuple[list[str], list[str]]:
    """Accounts and symbols that are in the history, for the filter."""
    c = history.c
    names = [row.account for row in tx.rows(select(c.account).distinct().order_by(c.account))]
    return names, [row.symbol for row in tx.rows(select(c.symbol).distinct().order_by(c.symbol))]


def _trade(row: Any) -> Trade:
    wishes = Wishes(
        profit_target=row.profit_target, stop_loss=row.stop_loss, trailing=row.trailing, is_gross=row.is_gross
    )
    return Trade(
        id=row.id,
        account_id=row.account_id,
        account=row.account,
        symbol=row.symbol,
        name=row.name,
        reason=Reason(row.reason),
        wishes=wishes,
        gross=row.gross,
        fees=row.fees,
        other_fees=row.other_fees,
        funding=row.funding,
        net=row.net,
        basis=row.basis,
        legs=msgspec.convert(row.legs, list[LegClosed]),
        fills=msgspec.convert(row.fills, list[FillKept]),
        opened_at=row.opened_at,
        closed_at=row.closed_at,
    )


# -- events


def note(tx: Tx, operation_id: str, kind: str, data: Mapping[str, Any] | None = None, *, at: datetime) -> None:
    """Something that happened to an operation; `data` may hold money."""
    row = {"id": new_id(), "operation_id": operation_id, "at": at, "kind": kind, "data": as_json(dict(data or {}))}
    tx.execute(insert(events), row)


def events_page(tx: Tx, operation_id: str, *, limit: int, after: str | None = None) -> list[OperationEvent]:
    """Newest first; one more than `limit`."""
    question = select(events).where(events.c.operation_id == operation_id)
    if after is not None:
        question = question.where(events.c.id < after)
    rows = tx.rows(question.order_by(events.c.id.desc()).limit(limit + 1))
    return [OperationEvent(id=row.id, at=row.at, kind=row.kind, data=row.data) for row in rows]


# -- points


def add_points(tx: Tx, found: Sequence[tuple[str, Point]]) -> None:
    rows = [{"operation_id": id_, "at": point.at, "value": point.value} for id_, point in found]
    tx.upsert(points, rows, key=["operation_id", "at"])


def points_of(tx: Tx, operation_id: str) -> list[Point]:
    """Oldest first."""
    rows = tx.rows(select(points).where(points.c.operation_id == operation_id).order_by(points.c.at))
    return [Point(row.at, row.value) for row in rows]


def drop_points(tx: Tx, operation_id: str, ats: Sequence[datetime]) -> None:
    tx.execute(delete(points).where(points.c.operation_id == operation_id, points.c.at.in_(ats)))
