"""SQL on residents and their tags, and whose a session is.

Whose a session is: of the resident who had its tag when it began; the flat is that resident's, else what the vendor says.

    select(sessions.c.id, RESIDENT_ID, RESIDENT_NAME, FLAT).select_from(HELD_SESSIONS).where(…)

`HELD_SESSIONS` gives each session once, since the spans of a tag do not overlap. `RESIDENT_ID.in_([id])` in `where` goes by
the indexes of tags and of the sessions' `tag_key`. `FLAT` is null where nobody knows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, func, or_, select

from atalaia.integrations.cvepro.model.residents import Resident, Tag, tag_key
from atalaia.integrations.cvepro.tables import residents, sessions, tags
from atalaia.sdk.transaction import Tx

_AT_ONCE: Final = 500  # ids in one question: SQLite takes no more than 32,766


def held_at(key: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Joins `tags`: the span of the tag `key` (as `model.residents.tag_key` writes it) in which `at` falls."""
    t = tags.c
    return and_(t.tag == key, or_(t.since_at.is_(None), t.since_at <= at), or_(t.until_at.is_(None), t.until_at > at))


HELD_SESSIONS: Final = sessions.outerjoin(tags, held_at(sessions.c.tag_key, sessions.c.sort_at)).outerjoin(
    residents, residents.c.id == tags.c.resident_id
)
RESIDENT_ID: Final[ColumnElement[Any]] = tags.c.resident_id  # and not residents.c.id: SQLite then begins with the tags
RESIDENT_NAME: Final[ColumnElement[Any]] = residents.c.name
FLAT: Final[ColumnElement[Any]] = func.coalesce(residents.c.flat, sessions.c.flat)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose a session is by its tag."""

    resident_id: str
    name: str
    flat: str


def holders(tx: Tx, session_ids: Sequence[str]) -> dict[str, Holder]:
    """By session; those whose tag was nobody's are not there."""
    found: dict[str, Holder] = {}
    question = select(sessions.c.id, RESIDENT_ID, RESIDENT_NAME, residents.c.flat).select_from(HELD_SESSIONS)
    for start in range(0, len(session_ids), _AT_ONCE):
        part = session_ids[start : start + _AT_ONCE]
        for row in tx.rows(question.where(sessions.c.id.in_(part), RESIDENT_ID.is_not(None))):
            session_id, *holder = tuple(row)
            found[session_id] = Holder(*holder)
    return found


def holder_of(tx: Tx, tag: str | None, at: datetime) -> Resident | None:
    """Who has the tag then, active or not."""
    key = tag_key(tag)
    if key is None:
        return None
    span = tx.one(select(tags.c.resident_id).where(*_at(key, at)))
    return None if span is None else find(tx, span.resident_id)


def _at(key: str, at: datetime) -> list[ColumnElement[bool]]:
    t = tags.c
    return [t.tag == key, or_(t.since_at.is_(None), t.since_at <= at), or_(t.until_at.is_(None), t.until_at > at)]


def find(tx: Tx, id: str) -> Resident | None:
    row = tx.one(select(residents).where(residents.c.id == id))
    return None if row is None else resident_of(row)


def of_person(tx: Tx, person_id: str) -> Resident | None:
    """Whose sessions an account sees as its own."""
    row = tx.one(select(residents).where(residents.c.person_id == person_id))
    return None if row is None else resident_of(row)


def living_in(tx: Tx, flat: str) -> frozenset[str]:
    """Ids of those who live there now."""
    c = residents.c
    return frozenset(row.id for row in tx.rows(select(c.id).where(c.flat == flat, c.is_active.is_(True))))


def tags_of(tx: Tx, resident_ids: Iterable[str]) -> list[Tag]:
    """With those of the past; those that are held first, then by when they came."""
    ids = list(resident_ids)
    t = tags.c
    found: list[Tag] = []
    for start in range(0, len(ids), _AT_ONCE):
        rows = tx.rows(select(tags).where(t.resident_id.in_(ids[start : start + _AT_ONCE])))
        found += [Tag(**row._asdict()) for row in rows]
    return sorted(found, key=lambda tag: (not tag.is_held, tag.since_at.timestamp() if tag.since_at else 0.0, tag.tag))


def resident_of(row: Any) -> Resident:
    return Resident(**{**row._asdict(), "notices": tuple(row.notices), "is_active": bool(row.is_active)})
