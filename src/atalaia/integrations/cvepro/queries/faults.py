"""SQL on the incidents that are open by our word."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from atalaia.integrations.cvepro.tables import faults
from atalaia.sdk.transaction import Tx


def keys(tx: Tx, family: str) -> set[str]:
    return {row.key for row in tx.rows(select(faults.c.key).where(faults.c.family == family))}


def open_(tx: Tx, key: str, family: str, *, now: datetime) -> None:
    tx.execute(insert(faults).values(key=key, family=family, opened_at=now))


def close(tx: Tx, key: str) -> None:
    tx.execute(delete(faults).where(faults.c.key == key))
