"""SQL on people and recovery codes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.engine import Row

from atalaia.access.model import Person, Secrets
from atalaia.access.tables import people, recovery_codes
from atalaia.core.permissions import Role
from atalaia.sdk.transaction import Tx


def _person(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        is_disabled=row.is_disabled,
        has_password=row.password_hash is not None,
        has_totp=row.totp_secret is not None,
        locale=row.locale,
        theme=row.theme,
        timezone=row.timezone,
        created_at=row.created_at,
        signed_in_at=row.signed_in_at,
    )


def _secrets(row: Row[Any]) -> Secrets:
    return Secrets(
        password_hash=row.password_hash,
        totp_secret=row.totp_secret,
        totp_pending=row.totp_pending,
        totp_last_step=row.totp_last_step,
    )


def find_by_id(tx: Tx, person_id: str) -> Person | None:
    row = tx.one(select(people).where(people.c.id == person_id))
    return _person(row) if row else None


def find_some(tx: Tx, ids: Sequence[str]) -> dict[str, Person]:
    """By id; those that there are."""
    return {row.id: _person(row) for row in tx.rows(select(people).where(people.c.id.in_(ids)))}


def find_by_email(tx: Tx, email: str) -> Person | None:
    """`email` in lower case."""
    row = tx.one(select(people).where(people.c.email == email))
    return _person(row) if row else None


def lock_by_id(tx: Tx, person_id: str) -> tuple[Person, Secrets] | None:
    """The person, held against others' writes until the transaction ends."""
    row = tx.one(select(people).where(people.c.id == person_id).with_for_update())
    return (_person(row), _secrets(row)) if row else None


def secrets_of(tx: Tx, person_id: str) -> Secrets | None:
    row = tx.one(select(people).where(people.c.id == person_id))
    return _secrets(row) if row else None


def page(tx: Tx, *, limit: int, after: str | None = None, text: str = "") -> list[Person]:
    """By e-mail address, from past `after`; `text` is part of name or address."""
    statement = select(people).order_by(people.c.email).limit(limit)
    if after is not None:
        statement = statement.where(people.c.email > after)
    if text:
        statement = statement.where(
            or_(
                people.c.email.contains(text.lower(), autoescape=True),
                func.lower(people.c.name).contains(text.lower(), autoescape=True),
            )
        )
    return [_person(row) for row in tx.rows(statement)]


def all_by_name(tx: Tx, *, role: Role | None = None) -> list[Person]:
    statement = select(people).order_by(func.lower(people.c.name), people.c.email)
    if role is not None:
        statement = statement.where(people.c.role == role)
    return [_person(row) for row in tx.rows(statement)]


def add(tx: Tx, values: dict[str, Any]) -> bool:
    """False where somebody has the e-mail address already."""
    return tx.upsert(people, [values], key=("email",)) == 1


def change(tx: Tx, person_id: str, values: dict[str, Any]) -> None:
    tx.execute(update(people).where(people.c.id == person_id).values(values))


def lock_admins(tx: Tx) -> list[str]:
    """Ids of admins who can sign in, held: two of them can't remove each other at the same moment."""
    statement = (
        select(people.c.id)
        .where(people.c.role == Role.ADMIN.value, people.c.is_disabled.is_(False))
        .order_by(people.c.id)
        .with_for_update()
    )
    return [row.id for row in tx.rows(statement)]


def has_admin(tx: Tx) -> bool:
    return tx.value(select(people.c.id).where(people.c.role == Role.ADMIN.value).limit(1)) is not None


def replace_recovery_codes(tx: Tx, person_id: str, hashes: list[bytes]) -> None:
    tx.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    tx.insert(recovery_codes, [{"person_id": person_id, "sha256": sha256, "used_at": None} for sha256 in hashes])


def use_recovery_code(tx: Tx, person_id: str, sha256: bytes, *, now: datetime) -> bool:
    """Spend a code; False where there is none such left."""
    statement = update(recovery_codes).where(
        recovery_codes.c.person_id == person_id,
        recovery_codes.c.sha256 == sha256,
        recovery_codes.c.used_at.is_(None),
    )
    return tx.execute(statement.values(used_at=now)) == 1


def count_recovery_codes(tx: Tx, person_id: str) -> int:
    """How many are left."""
    statement = (
        select(func.count())
        .select_from(recovery_codes)
        .where(recovery_codes.c.person_id == person_id, recovery_codes.c.used_at.is_(None))
    )
    return int(tx.value(statement))
