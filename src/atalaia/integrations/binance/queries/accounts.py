"""SQL on accounts, and on the gate that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select

from atalaia.integrations.binance.tables import accounts, gate, operations
from atalaia.sdk.transaction import Tx

_ADDRESS = "address"  # one gate: the exchange counts by address


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    id: str
    name: str
    sealed_key: bytes
    sealed_secret: bytes
    key_end: str
    created_at: datetime


_COLUMNS = [accounts.c[name] for name in AccountRow.__annotations__]


def _row(row: object) -> AccountRow:
    return AccountRow(**row._mapping)  # type: ignore[attr-defined]  # noqa: SLF001 - SQLAlchemy's public way


def all_of_them(tx: Tx) -> list[AccountRow]:
    return [_row(row) for row in tx.rows(select(*_COLUMNS).order_by(accounts.c.name))]


def some(tx: Tx, ids: Sequence[str]) -> dict[str, AccountRow]:
    return {row.id: _row(row) for row in tx.rows(select(*_COLUMNS).where(accounts.c.id.in_(ids)))}


def find(tx: Tx, name_or_id: str) -> AccountRow | None:
    row = tx.one(select(*_COLUMNS).where(or_(accounts.c.id == name_or_id, accounts.c.name == name_or_id)))
    return None if row is None else _row(row)


def add(tx: Tx, row: AccountRow) -> bool:
    """False: there is one of this name."""
    values = {name: getattr(row, name) for name in AccountRow.__annotations__}
    return tx.upsert(accounts, [values], key=["name"]) == 1


def remove(tx: Tx, id: str) -> None:
    tx.execute(delete(accounts).where(accounts.c.id == id))


def lock(tx: Tx, id: str) -> bool:
    """Keep the account from being removed until the commit; whether it is there."""
    return tx.one(select(accounts.c.id).where(accounts.c.id == id).with_for_update()) is not None


def count_operations(tx: Tx) -> dict[str, int]:
    """By account: those that are active."""
    question = select(operations.c.account_id, func.count().label("n")).group_by(operations.c.account_id)
    return {row.account_id: row.n for row in tx.rows(question)}


def blocked(tx: Tx) -> tuple[datetime, bool] | None:
    """Until when nothing may go out, and whether that is a ban."""
    row = tx.one(select(gate.c.blocked_until, gate.c.is_ban).where(gate.c.name == _ADDRESS))
    return None if row is None else (row.blocked_until, row.is_ban)


def block(tx: Tx, until: datetime, *, is_ban: bool) -> None:
    """An earlier instant than the one that is kept changes nothing."""
    row = {"name": _ADDRESS, "blocked_until": until, "is_ban": is_ban}
    if tx.upsert(gate, [row], key=["name"]):
        return
    later = (gate.c.name == _ADDRESS) & (gate.c.blocked_until < until)
    tx.execute(gate.update().where(later).values(blocked_until=until, is_ban=is_ban))
