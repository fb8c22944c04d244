"""SQL on imports of the history."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import insert, select, update

from atalaia.integrations.cvepro.model.imports import Import, ImportState
from atalaia.integrations.cvepro.tables import imports
from atalaia.sdk.transaction import Tx

_DAYS: Final = ("first_day", "last_day", "next_day")
_SHOWN: Final = 20


def add(tx: Tx, new: Import) -> None:
    tx.execute(insert(imports).values(**_row(new)))


def keep(tx: Tx, changed: Import) -> None:
    tx.execute(update(imports).where(imports.c.id == changed.id).values(**_row(changed)))


def newest(tx: Tx) -> Sequence[Import]:
    return [_import(row) for row in tx.rows(select(imports).order_by(imports.c.id.desc()).limit(_SHOWN))]


def find(tx: Tx, id: str) -> Import | None:
    row = tx.one(select(imports).where(imports.c.id == id).with_for_update())
    return None if row is None else _import(row)


def running(tx: Tx) -> Import | None:
    """The oldest that is under way."""
    row = tx.one(select(imports).where(imports.c.state == str(ImportState.RUNNING)).order_by(imports.c.id))
    return None if row is None else _import(row)


def _row(one: Import) -> dict[str, Any]:
    values = {name: getattr(one, name) for name in Import.__struct_fields__}
    return values | {name: values[name].isoformat() for name in _DAYS} | {"state": str(one.state)}


def _import(row: Any) -> Import:
    values: dict[str, Any] = row._asdict()
    days: dict[str, Any] = {name: date.fromisoformat(values[name]) for name in _DAYS}
    return Import(**{**values, **days, "state": ImportState(row.state)})
