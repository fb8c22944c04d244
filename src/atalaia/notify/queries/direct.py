"""SQL on messages to addresses; their turn is in the outbox."""

from collections.abc import Collection

from sqlalchemy import delete, insert, select

from atalaia.notify.model.direct import Direct
from atalaia.notify.tables import direct_messages
from atalaia.sdk.transaction import Tx


def add(tx: Tx, direct: Direct) -> None:
    tx.execute(insert(direct_messages).values({name: getattr(direct, name) for name in Direct.__struct_fields__}))


def by_id(tx: Tx, ids: Collection[str]) -> dict[str, Direct]:
    if not ids:
        return {}
    rows = tx.rows(select(direct_messages).where(direct_messages.c.id.in_(ids)))
    return {row.id: Direct(**row._mapping) for row in rows}  # noqa: SLF001 - SQLAlchemy's public accessor


def forget(tx: Tx, id: str) -> None:
    tx.execute(delete(direct_messages).where(direct_messages.c.id == id))
