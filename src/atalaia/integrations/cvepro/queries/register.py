"""SQL that keeps the register: residents and their tags."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, tuple_, update

from atalaia.integrations.cvepro.model.residents import Resident, Tag, tag_key
from atalaia.integrations.cvepro.queries.residents import resident_of
from atalaia.integrations.cvepro.tables import residents, tags, waits
from atalaia.sdk.transaction import Tx

_LOCK: Final = 0x63_76_65_70_72_6F  # of PostgreSQL's advisory locks; "cvepro"
_FIELDS: Final = tuple(Resident.__struct_fields__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidentFilter:
    """`q`: a part of name, flat, phone, e-mail or tag; `state`: active or inactive; `without`: tag, phone or account."""

    q: str | None = None
    state: str | None = None
    without: str | None = None
    flat: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        c = residents.c
        found: list[ColumnElement[bool]] = []
        if self.q:
            found.append(_holds(self.q))
        if self.flat:
            found.append(c.flat == self.flat)
        if self.state in {"active", "inactive"}:
            found.append(c.is_active.is_(self.state == "active"))
        match self.without:
            case "tag":
                found.append(c.id.not_in(select(tags.c.resident_id).where(tags.c.until_at.is_(None))))
            case "phone":
                found.append(c.phone.is_(None))
            case "account":
                found.append(c.person_id.is_(None))
        return found


def _holds(text: str) -> ColumnElement[bool]:
    c, part = residents.c, text.lower()
    found = [func.lower(each).contains(part, autoescape=True) for each in (c.name, c.flat, c.phone, c.email)]
    if key := tag_key(text):
        held = select(tags.c.resident_id).where(tags.c.tag.contains(key, autoescape=True))
        found.append(c.id.in_(held))
    return or_(*found)


def lock(tx: Tx) -> None:
    """One writer at a time, over all hubs: a tag has one holder, and an account one resident."""
    if tx.dialect == "postgresql":
        tx.value(select(func.pg_advisory_xact_lock(_LOCK)))


def everybody(tx: Tx) -> list[Resident]:
    return [resident_of(row) for row in tx.rows(select(residents).order_by(residents.c.id))]


def page(tx: Tx, wanted: ResidentFilter, *, limit: int, after: str | None = None) -> list[Resident]:
    """By flat and name, from past the id `after`; one more than `limit` where there is a next page."""
    c = residents.c
    order = (c.flat, c.name, c.id)
    question = select(residents).where(*wanted.conditions()).order_by(*order)
    if after is not None:
        past = tx.one(select(*order).where(c.id == after))
        if past is not None:
            question = question.where(tuple_(*order) > tuple_(*past))
    return [resident_of(row) for row in tx.rows(question.limit(limit + 1))]


def count(tx: Tx, wanted: ResidentFilter) -> int:
    return int(tx.value(select(func.count()).select_from(residents).where(*wanted.conditions())))


def add(tx: Tx, new: Resident) -> None:
    tx.execute(insert(residents).values(**_row(new)))


def add_all(tx: Tx, new: Sequence[Resident]) -> None:
    tx.insert(residents, [_row(each) for each in new])


def keep(tx: Tx, former: Resident, changed: Resident) -> None:
    """What is other than it was, and nothing else: consent may be given or taken back meanwhile, at another hub."""
    before = _row(former)
    values = {name: value for name, value in _row(changed).items() if value != before[name]}
    if values:
        tx.execute(update(residents).where(residents.c.id == changed.id).values(**values))


def drop(tx: Tx, id: str) -> None:
    """With the tags, past ones too, and what this resident waits for."""
    tx.execute(delete(tags).where(tags.c.resident_id == id))
    tx.execute(delete(waits).where(waits.c.resident_id == id))
    tx.execute(delete(residents).where(residents.c.id == id))


def held_tags(tx: Tx) -> list[Tag]:
    """Of everybody, those of the past left out."""
    return [Tag(**row._asdict()) for row in tx.rows(select(tags).where(tags.c.until_at.is_(None)))]


def find_tag(tx: Tx, id: str) -> Tag | None:
    row = tx.one(select(tags).where(tags.c.id == id))
    return None if row is None else Tag(**row._asdict())


def spans(tx: Tx, tag: str) -> list[Tag]:
    """Of one tag, oldest first."""
    rows = tx.rows(select(tags).where(tags.c.tag == tag))
    found = [Tag(**row._asdict()) for row in rows]
    return sorted(found, key=lambda each: each.since_at.timestamp() if each.since_at else float("-inf"))


def known_tags(tx: Tx) -> frozenset[str]:
    """Those that anybody has or had."""
    return frozenset(row.tag for row in tx.rows(select(tags.c.tag).distinct()))


def add_tags(tx: Tx, new: Sequence[Tag]) -> None:
    tx.insert(tags, [{name: getattr(each, name) for name in Tag.__struct_fields__} for each in new])


def end_tag(tx: Tx, id: str, *, at: datetime) -> None:
    tx.execute(update(tags).where(tags.c.id == id).values(until_at=at))


def drop_tag(tx: Tx, id: str) -> None:
    tx.execute(delete(tags).where(tags.c.id == id))


def _row(one: Resident) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _FIELDS} | {"notices": list(one.notices)}
