"""Many values as one parameter of a hot statement, on either engine."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from atalaia.sdk.transaction import Tx


def among(tx: Tx) -> str:
    """The condition that goes after a column; its parameter is made by `packed`."""
    return "= ANY(?)" if tx.dialect == "postgresql" else "IN (SELECT value FROM json_each(?))"


def packed(tx: Tx, values: Sequence[Any]) -> Any:
    return array(values) if tx.dialect == "postgresql" else msgspec.json.encode(values).decode()


def array(values: Iterable[Any]) -> str:
    """As PostgreSQL reads an array: a tenth of what the driver takes for a list, which it looks through in Python."""
    return f"{{{','.join(map(_element, values))}}}"


def _element(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "NULL" if value is None else str(value)


def insert_many(tx: Tx, table: str, columns: dict[str, str], rows: Sequence[Sequence[Any]]) -> None:
    """`columns` names them with their PostgreSQL types: one statement there, one prepared statement on SQLite."""
    if not rows:
        return
    names = ", ".join(columns)
    if tx.dialect == "postgresql":
        arrays = ", ".join(f"?::{kind}[]" for kind in columns.values())
        sql = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own
        tx.raw(sql, [array(column) for column in zip(*rows, strict=True)])
        return
    marks = ", ".join("?" * len(columns))
    tx.raw_many(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - as above
