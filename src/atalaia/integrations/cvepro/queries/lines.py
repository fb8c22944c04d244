"""SQL on sessions with whose they were: by the tag at their start, else by what the vendor says."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select

from atalaia.integrations.cvepro.queries.residents import FLAT, HELD_SESSIONS, RESIDENT_ID, RESIDENT_NAME
from atalaia.integrations.cvepro.tables import residents, sessions, tags
from atalaia.sdk.transaction import Tx

_c = sessions.c
COLUMNS: Final = (
    _c.id,
    _c.sort_at,
    _c.started_at,
    _c.stopped_at,
    _c.box_id,
    _c.charger_uuid,
    _c.connector,
    _c.tag,
    _c.user_name,
    _c.energy_mwh,
    _c.start_mwh,
    _c.stop_mwh,
    _c.cost_micros,
    _c.idle_s,
    _c.doubts,
    _c.priced_by,
    _c.priced_micros,
    _c.priced_parts,
    RESIDENT_ID.label("resident_id"),
    RESIDENT_NAME.label("resident"),
    FLAT.label("of_flat"),
)


def _within(since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    return _c.sort_at >= since, _c.sort_at < until, _c.same_as.is_(None)


def between(tx: Tx, since: datetime, until: datetime, *more: ColumnElement[bool]) -> list[Any]:
    """Rows of sessions that began from `since` on and before `until`, oldest first."""
    question = select(*COLUMNS).select_from(HELD_SESSIONS).where(*_within(since, until), *more)
    return list(tx.rows(question.order_by(_c.sort_at, _c.id)))


def last_start(tx: Tx, since: datetime, until: datetime) -> datetime | None:
    """When the last session in between began."""
    found: datetime | None = tx.value(select(func.max(_c.sort_at)).where(*_within(since, until)))
    return found


def who_charged(tx: Tx, flat: str, since: datetime, until: datetime) -> frozenset[str | None]:
    """Ids of the residents whose sessions of that flat began in between; None: nobody's that we know."""
    question = select(RESIDENT_ID).select_from(HELD_SESSIONS).where(*_within(since, until), FLAT.in_([flat]))
    return frozenset(row[0] for row in tx.rows(question.distinct()))


def flats_with_tags(tx: Tx, since: datetime, until: datetime) -> Sequence[tuple[str, str]]:
    """Flat and name of each resident who had a tag at some time in between."""
    t = tags.c
    question = (
        select(residents.c.flat, residents.c.name)
        .join_from(residents, tags, t.resident_id == residents.c.id)
        .where(or_(t.since_at.is_(None), t.since_at < until), or_(t.until_at.is_(None), t.until_at > since))
        .distinct()
        .order_by(residents.c.flat, residents.c.name)
    )
    return [(row.flat, row.name) for row in tx.rows(question)]
