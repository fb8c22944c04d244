"""SQL on notices to residents: each once, with what became of it; their words; who waits for a charger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_, update

from atalaia.integrations.cvepro.model.notices import Fate, Notice, NoticeKind
from atalaia.integrations.cvepro.model.residents import Resident
from atalaia.integrations.cvepro.queries.residents import resident_of
from atalaia.integrations.cvepro.tables import notices, residents, templates, waits
from atalaia.sdk.transaction import Tx

_FIELDS: Final = tuple(Notice.__struct_fields__)
_ORDER: Final = (notices.c.created_at, notices.c.subject, notices.c.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFilter:
    """`q`: a part of the resident's name, flat or number."""

    kind: str | None = None
    fate: str | None = None
    resident_id: str | None = None
    q: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        c = notices.c
        exact = {"kind": self.kind, "fate": self.fate, "resident_id": self.resident_id}
        found: list[ColumnElement[bool]] = [c[name] == value for name, value in exact.items() if value]
        if self.q:
            texts = (residents.c.name, residents.c.flat, c.phone)
            found.append(or_(*(func.lower(each).contains(self.q.lower(), autoescape=True) for each in texts)))
        return found


@dataclass(frozen=True, slots=True)
class Listed:
    """`name` and `flat` are the resident's now; none where there is no such resident any more, and of a test."""

    notice: Notice
    name: str | None
    flat: str | None


def cursor_of(listed: Listed) -> str:
    return f"{listed.notice.kind}|{listed.notice.subject}"


def read_cursor(text: str) -> tuple[str, str] | None:
    """Subject and kind; None of what is no cursor."""
    kind, found, subject = text.partition("|")
    return (subject, kind) if found else None


def claim(tx: Tx, notice: Notice) -> bool:
    """Whether it is the first of its subject and kind."""
    return tx.upsert(notices, [{name: getattr(notice, name) for name in _FIELDS}], key=["subject", "kind"]) > 0


def is_claimed(tx: Tx, subject: str, kind: NoticeKind) -> bool:
    question = select(notices.c.subject).where(notices.c.subject == subject, notices.c.kind == str(kind))
    return tx.one(question) is not None


def change(tx: Tx, notice: Notice, **values: Any) -> None:
    which = (notices.c.subject == notice.subject, notices.c.kind == str(notice.kind))
    tx.execute(update(notices).where(*which).values(**values))


def of_message(tx: Tx, message_id: str) -> Notice | None:
    row = tx.one(select(notices).where(notices.c.message_id == message_id))
    return None if row is None else _notice(row)


def settle(tx: Tx, message_id: str, fate: Fate, reason: str, *, at: datetime) -> None:
    values = {"fate": str(fate), "reason": reason, "settled_at": at}
    tx.execute(update(notices).where(notices.c.message_id == message_id).values(**values))


def who_listens(tx: Tx, phones: Sequence[str]) -> list[Resident]:
    """Of those with one of these numbers."""
    c = residents.c
    rows = tx.rows(select(residents).where(c.phone.in_(phones), c.opted_in_at.is_not(None)).order_by(c.id))
    return [resident_of(row) for row in rows]


def waiting_messages(tx: Tx, resident_id: str) -> list[str]:
    c = notices.c
    question = select(c.message_id).where(c.resident_id == resident_id, c.fate == str(Fate.QUEUED))
    return [row.message_id for row in tx.rows(question.where(c.message_id.is_not(None)))]


def has_been_told(tx: Tx, resident_id: str, *, since: datetime) -> bool:
    c = notices.c
    question = select(c.subject).where(c.resident_id == resident_id, c.created_at >= since, c.message_id.is_not(None))
    return tx.one(question.limit(1)) is not None


def page(tx: Tx, wanted: NoticeFilter, *, limit: int, after: tuple[str, str] | None = None) -> list[Listed]:
    """Newest first, from past that subject and kind; one more than `limit` where there is a next page."""
    joined = notices.outerjoin(residents, residents.c.id == notices.c.resident_id)
    question = select(notices, residents.c.name, residents.c.flat).select_from(joined).where(*wanted.conditions())
    question = question.order_by(*(each.desc() for each in _ORDER))
    if after is not None:
        past = tx.one(select(*_ORDER).where(notices.c.subject == after[0], notices.c.kind == after[1]))
        if past is not None:
            question = question.where(tuple_(*_ORDER) < tuple_(*past, types=[each.type for each in _ORDER]))
    return [Listed(_notice(row), row.name, row.flat) for row in tx.rows(question.limit(limit + 1))]


def prune(tx: Tx, *, before: datetime) -> int:
    return tx.execute(delete(notices).where(notices.c.created_at < before))


def _notice(row: Any) -> Notice:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Notice(**{**values, "kind": NoticeKind(row.kind), "fate": Fate(row.fate)})


# -- who is told


def set_opt_in(tx: Tx, resident_id: str, kinds: Sequence[NoticeKind], *, at: datetime | None, now: datetime) -> bool:
    """`at`: none opts out. False: there is no such resident."""
    values = {"opted_in_at": at, "notices": [str(each) for each in kinds], "changed_at": now}
    return tx.execute(update(residents).where(residents.c.id == resident_id).values(**values)) > 0


def mark_refused(tx: Tx, resident_id: str, phone: str) -> None:
    """That number, and no other that is there by now."""
    which = (residents.c.id == resident_id, residents.c.phone == phone)
    tx.execute(update(residents).where(*which).values(refused_phone=phone))


# -- words


def own_words(tx: Tx) -> Mapping[tuple[str, str], str]:
    """By kind and language, where they are not the built-in ones."""
    return {(row.kind, row.locale): row.text for row in tx.rows(select(templates))}


def words_of(tx: Tx, kind: NoticeKind, locale: str) -> str | None:
    which = (templates.c.kind == str(kind), templates.c.locale == locale)
    text: str | None = tx.value(select(templates.c.text).where(*which))
    return text


def keep_words(tx: Tx, kind: NoticeKind, locale: str, text: str, *, by: str, now: datetime) -> None:
    row = {"kind": str(kind), "locale": locale, "text": text, "changed_by": by, "changed_at": now}
    tx.upsert(templates, [row], key=["kind", "locale"], update=["text", "changed_by", "changed_at"])


def drop_words(tx: Tx, kind: NoticeKind, locale: str) -> None:
    tx.execute(delete(templates).where(templates.c.kind == str(kind), templates.c.locale == locale))


# -- who waits


def waiting(tx: Tx, charger_key: str) -> list[Resident]:
    """For this charger, or for any: who asked first comes first."""
    c = waits.c
    question = select(residents).join(waits, c.resident_id == residents.c.id)
    question = question.where(c.charger_key.in_([charger_key, ""])).order_by(c.asked_at, c.resident_id)
    # Who waits for this one and for any is one person.
    return list({row.id: resident_of(row) for row in tx.rows(question)}.values())


def end_waits(tx: Tx, resident_id: str) -> None:
    """All of them: who is told of one charger asks again for the next."""
    tx.execute(delete(waits).where(waits.c.resident_id == resident_id))


def count_opted_in(tx: Tx) -> int:
    """Of those who can be told."""
    c = residents.c
    wanted = (c.opted_in_at.is_not(None), c.is_active, c.phone.is_not(None))
    return int(tx.value(select(func.count()).select_from(residents).where(*wanted)))
