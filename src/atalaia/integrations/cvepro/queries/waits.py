"""SQL on what one resident waits for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from atalaia.integrations.cvepro.tables import waits
from atalaia.sdk.transaction import Tx


@dataclass(frozen=True, slots=True)
class Wait:
    """An empty key waits for any charger."""

    charger_key: str
    asked_at: datetime


def of_resident(tx: Tx, resident_id: str) -> Sequence[Wait]:
    c = waits.c
    rows = tx.rows(select(c.charger_key, c.asked_at).where(c.resident_id == resident_id).order_by(c.asked_at))
    return [Wait(row.charger_key, row.asked_at) for row in rows]


def add(tx: Tx, resident_id: str, charger_key: str, *, at: datetime) -> None:
    row = {"resident_id": resident_id, "charger_key": charger_key, "asked_at": at}
    tx.upsert(waits, [row], key=["resident_id", "charger_key"])


def drop(tx: Tx, resident_id: str, charger_key: str) -> None:
    tx.execute(delete(waits).where(waits.c.resident_id == resident_id, waits.c.charger_key == charger_key))
