"""SQL on sessions: each once, by the vendor's id."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, and_, func, insert, literal_column, or_, select, update

from atalaia.integrations.cvepro.model.residents import tag_key
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.queries.residents import FLAT, HELD_SESSIONS, RESIDENT_ID, RESIDENT_NAME
from atalaia.integrations.cvepro.tables import sessions
from atalaia.sdk.transaction import Tx

_FIELDS: Final = tuple(Session.__struct_fields__)
_COLUMNS: Final = [sessions.c[name] for name in _FIELDS]
_AT_ONCE: Final = 500  # ids in one question: SQLite takes no more than 32,766


_STATES: Final[Mapping[str | None, ColumnElement[bool]]] = {
    "active": sessions.c.stopped_at.is_(None),
    "ended": sessions.c.stopped_at.is_not(None),
    "doubtful": sessions.c.doubts != literal_column("'[]'"),  # to the letter, as its index has it
    "nobody": FLAT.is_(None),
    "no_beginning": and_(sessions.c.started_at.is_(None), sessions.c.stopped_at.is_not(None)),
}
ASIDE: Final = "aside"  # what does not count, or would not if nobody had said that it does


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """`since` included, `until` not; `state` is active, ended, doubtful, nobody, no_beginning or aside; `q` a part of name, flat or tag.

    What is set aside, since it is told twice, is found by that state alone.

    `resident_id` and `flat` by the tag at the session's start; a flat also by the vendor's word where the tag is nobody's.
    """

    since: datetime | None = None
    until: datetime | None = None
    box_id: str | None = None
    state: str | None = None
    q: str | None = None
    resident_id: str | None = None
    flat: str | None = None

    @property
    def source(self) -> FromClause:
        """What the conditions are on."""
        return HELD_SESSIONS if self.q or self.resident_id or self.flat or self.state == "nobody" else sessions

    def conditions(self) -> list[ColumnElement[bool]]:
        c = sessions.c
        is_aside = or_(c.same_as.is_not(None), c.apart_by.is_not(None))
        found: list[ColumnElement[bool]] = [is_aside if self.state == ASIDE else c.same_as.is_(None)]
        if self.since is not None:
            found.append(c.sort_at >= self.since)
        if self.until is not None:
            found.append(c.sort_at < self.until)
        if self.box_id:
            found.append(c.box_id == self.box_id)
        if self.q:
            found.append(_holds(self.q.lower()))
        if self.resident_id:
            found.append(RESIDENT_ID.in_([self.resident_id]))
        if self.flat:
            found.append(FLAT.in_([self.flat]))
        if self.state in _STATES:
            found.append(_STATES[self.state])
        return found


def _holds(part: str) -> ColumnElement[bool]:
    c = sessions.c
    texts = (c.user_name, c.tag, FLAT, RESIDENT_NAME)
    return or_(*(func.lower(each).contains(part, autoescape=True) for each in texts))


def some(tx: Tx, ids: Sequence[str]) -> dict[str, Session]:
    found: dict[str, Session] = {}
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        found |= {row.id: _session(row) for row in tx.rows(select(*_COLUMNS).where(sessions.c.id.in_(part)))}
    return found


def add(tx: Tx, found: Iterable[Session], *, now: datetime) -> None:
    rows = [{**_row(each), "sort_at": _sort_at(each) or now, "changed_at": now} for each in found]
    if rows:
        tx.execute(insert(sessions), rows)


def change(tx: Tx, session: Session, *, now: datetime) -> None:
    values = {**_row(session), "changed_at": now}
    if (sort_at := _sort_at(session)) is not None:
        values["sort_at"] = sort_at
    tx.execute(update(sessions).where(sessions.c.id == session.id).values(**values))


def _sort_at(session: Session) -> datetime | None:
    """It is in the month in which it began; in that of its end, where nobody told when it began."""
    return session.started_at or session.stopped_at


def keep_meter(tx: Tx, id: str, stop_mwh: int, *, now: datetime) -> None:
    """How far the meter of one that is under way has gone on."""
    c = sessions.c
    tx.execute(update(sessions).where(c.id == id, c.stopped_at.is_(None)).values(stop_mwh=stop_mwh, changed_at=now))


def active(tx: Tx) -> list[Session]:
    """Newest first; what counts."""
    question = (
        select(*_COLUMNS)
        .where(sessions.c.stopped_at.is_(None), sessions.c.same_as.is_(None))
        .order_by(sessions.c.sort_at.desc())
    )
    return [_session(row) for row in tx.rows(question)]


def page(tx: Tx, wanted: SessionFilter, *, limit: int, after: str | None = None) -> list[Session]:
    """Newest first, from past the id `after`; one more than `limit` where there is a next page."""
    c = sessions.c
    question = select(*_COLUMNS).select_from(wanted.source).where(*wanted.conditions())
    question = question.order_by(c.sort_at.desc(), c.id.desc())
    if after is not None:
        past = tx.one(select(c.sort_at, c.id).where(c.id == after))
        if past is not None:
            question = question.where((c.sort_at < past.sort_at) | ((c.sort_at == past.sort_at) & (c.id < past.id)))
    return [_session(row) for row in tx.rows(question.limit(limit + 1))]


def _row(session: Session) -> dict[str, Any]:
    told = {name: getattr(session, name) for name in _FIELDS}
    own = {"doubts": list(session.doubts), "tag_key": tag_key(session.tag)}
    # Other than it was: it is to be priced anew.
    return {**told, **own, "priced_by": None, "priced_micros": None, "priced_parts": None}


def _session(row: Any) -> Session:
    return Session(**{**row._asdict(), "doubts": tuple(row.doubts)})
