"""SQL on API keys."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.engine import Row

from atalaia.access.model import ApiKey
from atalaia.access.tables import api_keys, key_revision, key_uses
from atalaia.sdk.transaction import Tx


def _with_use() -> Select[Any]:
    return select(api_keys, key_uses.c.used_at).select_from(
        api_keys.outerjoin(key_uses, key_uses.c.key_id == api_keys.c.id)
    )


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )


def add(tx: Tx, key: ApiKey, *, sha256: bytes) -> bool:
    """False where this value is a key already."""
    values = {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "sha256": sha256,
        "scopes": list(key.scopes),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": None,
    }
    return tx.upsert(api_keys, [values], key=("sha256",)) == 1


def find_by_hash(tx: Tx, sha256: bytes) -> ApiKey | None:
    row = tx.one(_with_use().where(api_keys.c.sha256 == sha256))
    return _key(row) if row else None


def find_by_id(tx: Tx, key_id: str) -> ApiKey | None:
    row = tx.one(_with_use().where(api_keys.c.id == key_id))
    return _key(row) if row else None


def find_by_name_or_prefix(tx: Tx, text: str) -> list[ApiKey]:
    """Keys in force whose name or prefix is `text`."""
    found = (api_keys.c.name == text) | (api_keys.c.prefix == text)
    return [_key(row) for row in tx.rows(_with_use().where(found, api_keys.c.revoked_at.is_(None)))]


def page(tx: Tx, *, limit: int, after: str | None = None) -> list[ApiKey]:
    """Newest first, from past `after` (an id)."""
    statement = _with_use().order_by(api_keys.c.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(api_keys.c.id < after)
    return [_key(row) for row in tx.rows(statement)]


def revoke(tx: Tx, key_id: str, *, now: datetime) -> bool:
    """False where it was revoked before."""
    statement = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    return tx.execute(statement.values(revoked_at=now)) == 1


def revision(tx: Tx) -> int:
    return int(tx.raw("SELECT number FROM key_revision WHERE id = 1")[0][0])


def next_revision(tx: Tx) -> None:
    tx.execute(update(key_revision).values(number=key_revision.c.number + 1))


def keep_uses(tx: Tx, uses: dict[str, datetime]) -> None:
    rows = [{"key_id": key_id, "used_at": used_at} for key_id, used_at in sorted(uses.items())]
    tx.upsert(key_uses, rows, key=("key_id",), update=("used_at",))
