"""SQL on sessions, known devices, one-time tokens and tallies of failed sign-ins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, tuple_, update
from sqlalchemy.engine import Row

from atalaia.access.attempts import Counter, Tally
from atalaia.access.model import Session, TokenKind
from atalaia.access.tables import known_devices, one_time_tokens, sessions, sign_in_tallies
from atalaia.core.ids import new_id
from atalaia.sdk.transaction import Tx

_MAX_USER_AGENT = 300
Subject = tuple[Counter, str]


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        person_id=row.person_id,
        created_at=row.created_at,
        seen_at=row.seen_at,
        address=row.address,
        user_agent=row.user_agent,
    )


def add_session(tx: Tx, sha256: bytes, *, person_id: str, address: str, user_agent: str, now: datetime) -> str:
    session_id = new_id()
    values = {
        "id": session_id,
        "sha256": sha256,
        "person_id": person_id,
        "created_at": now,
        "seen_at": now,
        "address": address,
        "user_agent": user_agent[:_MAX_USER_AGENT],
    }
    tx.execute(insert(sessions).values(values))
    return session_id


def find_sessions(tx: Tx, hashes: Sequence[bytes]) -> dict[bytes, Session]:
    """By hash; those that there are."""
    return {bytes(row.sha256): _session(row) for row in tx.rows(select(sessions).where(sessions.c.sha256.in_(hashes)))}


def sessions_of(tx: Tx, person_id: str) -> list[Session]:
    """Newest use first."""
    statement = select(sessions).where(sessions.c.person_id == person_id).order_by(sessions.c.seen_at.desc())
    return [_session(row) for row in tx.rows(statement)]


def touch_session(tx: Tx, session_id: str, *, address: str, now: datetime) -> None:
    statement = update(sessions).where(sessions.c.id == session_id, sessions.c.seen_at < now)
    tx.execute(statement.values(seen_at=now, address=address))


def end_session(tx: Tx, session_id: str, *, person_id: str) -> bool:
    """False where this person has no such session."""
    statement = delete(sessions).where(sessions.c.id == session_id, sessions.c.person_id == person_id)
    return tx.execute(statement) == 1


def end_sessions(tx: Tx, person_id: str, *, except_id: str | None = None) -> int:
    statement = delete(sessions).where(sessions.c.person_id == person_id)
    if except_id is not None:
        statement = statement.where(sessions.c.id != except_id)
    return tx.execute(statement)


def end_old_sessions(tx: Tx, *, seen_before: datetime, created_before: datetime) -> int:
    return tx.execute(
        delete(sessions).where((sessions.c.seen_at < seen_before) | (sessions.c.created_at < created_before))
    )


def is_known_device(tx: Tx, sha256: bytes, *, person_id: str) -> bool:
    statement = select(known_devices.c.person_id).where(
        known_devices.c.sha256 == sha256, known_devices.c.person_id == person_id
    )
    return tx.value(statement) is not None


def add_device(tx: Tx, sha256: bytes, *, person_id: str, now: datetime) -> None:
    tx.execute(insert(known_devices).values(sha256=sha256, person_id=person_id, seen_at=now))


def touch_device(tx: Tx, sha256: bytes, *, now: datetime) -> None:
    tx.execute(update(known_devices).where(known_devices.c.sha256 == sha256).values(seen_at=now))


def forget_devices(tx: Tx, person_id: str) -> None:
    tx.execute(delete(known_devices).where(known_devices.c.person_id == person_id))


def add_token(tx: Tx, sha256: bytes, *, kind: TokenKind, person_id: str | None, expires_at: datetime) -> None:
    tx.execute(
        insert(one_time_tokens).values(sha256=sha256, kind=kind.value, person_id=person_id, expires_at=expires_at)
    )


def find_token(tx: Tx, sha256: bytes, *, kind: TokenKind, now: datetime) -> Row[Any] | None:
    """The token's row (person_id), while it is good."""
    return tx.one(
        select(one_time_tokens).where(
            one_time_tokens.c.sha256 == sha256,
            one_time_tokens.c.kind == kind.value,
            one_time_tokens.c.expires_at > now,
        )
    )


def use_token(tx: Tx, sha256: bytes) -> bool:
    """Spend it; False where another has been quicker."""
    return tx.execute(delete(one_time_tokens).where(one_time_tokens.c.sha256 == sha256)) == 1


def drop_tokens(tx: Tx, *, kind: TokenKind, person_id: str | None = None) -> None:
    statement = delete(one_time_tokens).where(one_time_tokens.c.kind == kind.value)
    if person_id is not None:
        statement = statement.where(one_time_tokens.c.person_id == person_id)
    tx.execute(statement)


def lock_tallies(tx: Tx, subjects: Sequence[Subject], *, now: datetime) -> dict[Subject, Tally]:
    """The tallies, held until the transaction ends, so that tries at the same moment are counted one after the other."""
    rows = [{"counter": c.value, "subject": s, "failures": 0, "last_at": now} for c, s in sorted(subjects)]
    tx.upsert(sign_in_tallies, rows, key=("counter", "subject"))
    table = sign_in_tallies.c
    statement = (
        select(sign_in_tallies)
        .where(tuple_(table.counter, table.subject).in_([(c.value, s) for c, s in subjects]))
        .order_by(table.counter, table.subject)
        .with_for_update()
    )
    return {
        (Counter(row.counter), row.subject): Tally(failures=row.failures, last_at=row.last_at)
        for row in tx.rows(statement)
    }


def keep_tallies(tx: Tx, tallies: dict[Subject, Tally]) -> None:
    rows = [
        {"counter": c.value, "subject": s, "failures": tally.failures, "last_at": tally.last_at}
        for (c, s), tally in sorted(tallies.items())
    ]
    tx.upsert(sign_in_tallies, rows, key=("counter", "subject"), update=("failures", "last_at"))


def take_back_failure(tx: Tx, counter: Counter, subject: str) -> None:
    """A try that was counted beforehand has turned out well."""
    table = sign_in_tallies.c
    tx.execute(
        update(sign_in_tallies)
        .where(table.counter == counter.value, table.subject == subject, table.failures > 0)
        .values(failures=table.failures - 1)
    )


def clear_tally(tx: Tx, counter: Counter, subject: str) -> None:
    table = sign_in_tallies.c
    tx.execute(delete(sign_in_tallies).where(table.counter == counter.value, table.subject == subject))


def clean_up(tx: Tx, *, now: datetime, tallies_before: datetime, devices_before: datetime) -> None:
    """Remove what can't count any more."""
    tx.execute(delete(one_time_tokens).where(one_time_tokens.c.expires_at <= now))
    tx.execute(delete(sign_in_tallies).where(sign_in_tallies.c.last_at < tallies_before))
    tx.execute(delete(known_devices).where(known_devices.c.seen_at < devices_before))
