"""SQL on sessions that the vendor's cloud and the charger itself both tell of."""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select

from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.model.transactions import PREFIX
from atalaia.integrations.cvepro.model.twins import around, is_straight
from atalaia.integrations.cvepro.queries import sessions as queries
from atalaia.integrations.cvepro.tables import sessions, transactions
from atalaia.sdk.transaction import Tx

_c = sessions.c
COUNTED: Final[ColumnElement[bool]] = _c.same_as.is_(None)


def straight_boxes(tx: Tx) -> set[str]:
    """Of chargers that told of sessions themselves."""
    return {row.box_id for row in tx.rows(select(transactions.c.box_id).distinct())}


def twin_of(tx: Tx, session: Session) -> Session | None:
    """What the other one tells of the same."""
    if session.same_as is not None:
        return queries.some(tx, [session.same_as]).get(session.same_as)
    row = tx.one(select(_c.id).where(_c.same_as == session.id))
    return None if row is None else queries.some(tx, [row.id]).get(row.id)


def set_aside(tx: Tx, ids: Sequence[str]) -> dict[str, Session]:
    """By the session that counts in its place."""
    rows = tx.rows(select(_c.id).where(_c.same_as.in_(ids))) if ids else ()
    return {each.same_as: each for each in queries.some(tx, [row.id for row in rows]).values() if each.same_as}


def candidates(tx: Tx, session: Session, *, box_id: str, uuids: Collection[str]) -> Sequence[Session]:
    """Of the other one, at this charger at about that time, that are not taken nor said to be by themselves."""
    here = _c.box_id == box_id
    if is_straight(session):
        here = or_(here, and_(_c.box_id.is_(None), _c.charger_uuid.in_(uuids)))
    found: dict[str, Session] = {}
    for is_near in _near(session):
        rows = tx.rows(select(_c.id).where(here, is_near, COUNTED, _c.apart_by.is_(None)))
        found |= queries.some(tx, [row.id for row in rows if row.id.startswith(PREFIX) != is_straight(session)])
    return [each for each in found.values() if twin_of(tx, each) is None]


def _near(session: Session) -> list[ColumnElement[bool]]:
    """Sessions are sorted by their start, and by their end where nobody told when they began."""
    near: list[ColumnElement[bool]] = []
    if session.started_at is not None:
        near.append(_c.sort_at.between(*around(session.started_at)))
    if session.stopped_at is not None:
        near.append(and_(_c.started_at.is_(None), _c.sort_at.between(*around(session.stopped_at))))
        if session.started_at is None:
            near.append(_c.stopped_at.between(*around(session.stopped_at)))
    return near
