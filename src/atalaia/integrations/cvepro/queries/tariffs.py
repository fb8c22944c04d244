"""SQL on tariffs: a handful, so all of them at once."""

from datetime import date
from typing import Any, Final

import msgspec
from sqlalchemy import delete, insert, select

from atalaia.integrations.cvepro.model.tariffs import Tariff, Terms
from atalaia.integrations.cvepro.tables import tariffs
from atalaia.sdk.transaction import Tx

_COLUMNS: Final = [tariffs.c[name] for name in Tariff.__struct_fields__]


def all_of_them(tx: Tx) -> list[Tariff]:
    """By their first days, which are all different."""
    return [_tariff(row) for row in tx.rows(select(*_COLUMNS).order_by(tariffs.c.first_day))]


def find(tx: Tx, id: str) -> Tariff | None:
    row = tx.one(select(*_COLUMNS).where(tariffs.c.id == id))
    return None if row is None else _tariff(row)


def on(tx: Tx, first_day: date) -> Tariff | None:
    row = tx.one(select(*_COLUMNS).where(tariffs.c.first_day == first_day.isoformat()))
    return None if row is None else _tariff(row)


def add(tx: Tx, tariff: Tariff) -> None:
    values = {name: getattr(tariff, name) for name in Tariff.__struct_fields__}
    tx.execute(insert(tariffs).values(**{**values, "first_day": tariff.first_day.isoformat()}))


def drop(tx: Tx, id: str) -> None:
    tx.execute(delete(tariffs).where(tariffs.c.id == id))


def _tariff(row: Any) -> Tariff:
    terms = msgspec.convert(row.terms, Terms)
    return Tariff(**{**row._asdict(), "first_day": date.fromisoformat(row.first_day), "terms": terms})
