"""SQL on what sessions are asked by, and on when connectors were in use."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select

from atalaia.integrations.cvepro.queries.residents import FLAT
from atalaia.integrations.cvepro.tables import sessions
from atalaia.sdk.transaction import Tx

_c = sessions.c
BY_FLAT: Final = FLAT
BY_CHARGER: Final = func.coalesce(_c.box_id, _c.charger_uuid)


def within(since: datetime, until: datetime) -> list[ColumnElement[bool]]:
    """That began from `since` on and before `until`; what counts."""
    return [_c.sort_at >= since, _c.sort_at < until, _c.same_as.is_(None)]


def uses(tx: Tx, since: datetime, until: datetime) -> list[Any]:
    """Where and when cars were plugged in, for some of that time; without an end: still."""
    question = select(_c.box_id, _c.charger_uuid, _c.connector, _c.started_at, _c.stopped_at)
    is_there = or_(_c.stopped_at.is_(None), _c.stopped_at > since)
    return list(tx.rows(question.where(_c.started_at.is_not(None), _c.same_as.is_(None), _c.sort_at < until, is_there)))


def first_start(tx: Tx) -> datetime | None:
    found: datetime | None = tx.value(select(func.min(_c.sort_at)))
    return found
