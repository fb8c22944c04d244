"""SQL on transactions of charge points and their meter values."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Row, delete, exists, func, or_, select, type_coerce, update

from atalaia.integrations.cvepro.model.meters import Reading
from atalaia.integrations.cvepro.model.transactions import State, Transaction
from atalaia.integrations.cvepro.tables import meters, transactions
from atalaia.sdk.transaction import Tx

_SAME: Final = ("box_id", "connector", "told_at", "start_wh")
_READING: Final = tuple(Reading.__struct_fields__)


def add(tx: Tx, new: Transaction) -> tuple[Transaction, bool]:
    """As it is kept, under its number; whether it is new. One that is told again, also by two lines at once, is the same."""
    row = {name: getattr(new, name) for name in Transaction.__struct_fields__ if name != "number"}
    before = same(tx, new)
    if before is not None:
        return before, False
    is_new = tx.upsert(transactions, [{**row, "state": str(new.state)}], key=list(_SAME)) > 0
    kept = same(tx, new)
    if kept is None:
        raise LookupError("a row that was just written is gone")
    return kept, is_new


def same(tx: Tx, one: Transaction) -> Transaction | None:
    c = transactions.c
    row = tx.one(select(transactions).where(*(c[name] == getattr(one, name) for name in _SAME)))
    return None if row is None else _transaction(row)


def find(tx: Tx, number: int, *, box_id: str) -> Transaction | None:
    c = transactions.c
    row = tx.one(select(transactions).where(c.number == number, c.box_id == box_id).with_for_update())
    return None if row is None else _transaction(row)


def open_at(tx: Tx, box_id: str, connector: int | None = None) -> list[Transaction]:
    """Newest first; of one connector, or of all."""
    c = transactions.c
    question = select(transactions).where(c.box_id == box_id, c.state == str(State.OPEN))
    if connector is not None:
        question = question.where(c.connector == connector)
    return [_transaction(row) for row in tx.rows(question.order_by(c.started_at.desc(), c.number.desc()))]


def open_tags(tx: Tx, *, before: int) -> set[str]:
    """Of those that are under way and came before, as they were told."""
    c = transactions.c
    return {row.tag for row in tx.rows(select(c.tag).where(c.state == str(State.OPEN), c.number < before))}


def change(tx: Tx, number: int, **values: Any) -> None:
    tx.execute(update(transactions).where(transactions.c.number == number).values(**values))


def keep_readings(tx: Tx, number: int, found: Sequence[Reading]) -> int:
    """Each once by its time, of what is told apart of one instant all; how many are new, or say more."""
    return sum(_keep_reading(tx, number, each) for each in found)


def _keep_reading(tx: Tx, number: int, one: Reading) -> int:
    row = {name: getattr(one, name) for name in _READING}
    if written := tx.upsert(meters, [{"number": number, **row}], key=["number", "at"]):
        return written
    more = {name: value for name, value in row.items() if value is not None and name != "at"}
    if not more:
        return 0
    c = meters.c
    of_it = (c.number == number, c.at == one.at, or_(*(c[name].is_(None) for name in more)))
    values = {name: func.coalesce(c[name], value) for name, value in more.items()}
    return tx.execute(update(meters).where(*of_it).values(**values))


def readings(tx: Tx, number: int, *, since: datetime | None = None) -> list[Reading]:
    c = meters.c
    question = select(*(c[name] for name in _READING)).where(c.number == number)
    if since is not None:
        question = question.where(c.at >= since)
    return [Reading(**row._asdict()) for row in tx.rows(question.order_by(c.at))]


def last_register(tx: Tx, number: int) -> Reading | None:
    c = meters.c
    question = select(*(c[name] for name in _READING)).where(c.number == number, c.energy_mwh.is_not(None))
    row = tx.one(question.order_by(c.at.desc()).limit(1))
    return None if row is None else Reading(**row._asdict())


def thin(tx: Tx, *, since: datetime | None, before: datetime, every: timedelta) -> int:
    """Of readings before `before` (and from `since` on) the first in each span of `every` stays; how many are gone."""
    c, earlier = meters.c, meters.alias("earlier")
    span = int(every.total_seconds() * 1000)
    own, other = type_coerce(c.at, BigInteger), type_coerce(earlier.c.at, BigInteger)
    has_earlier = exists(
        select(earlier.c.number).where(earlier.c.number == c.number, earlier.c.at < c.at, own - own % span <= other)
    )
    conditions = [c.at < before, has_earlier]
    if since is not None:
        conditions.append(c.at >= since)
    return tx.execute(delete(meters).where(*conditions))


def _transaction(row: Row[Any]) -> Transaction:
    values: dict[str, Any] = row._asdict()
    return Transaction(**{**values, "state": State(row.state), "is_full": bool(row.is_full)})
