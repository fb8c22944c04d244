"""Many values as one parameter of a hot statement, on either engine."""

from collections.abc import Sequence
from typing import Any

import msgspec

from atalaia.sdk.transaction import Tx


def among(tx: Tx) -> str:
    """The condition that goes after a column; its parameter is made by `packed`."""
    return "= ANY(?)" if tx.dialect == "postgresql" else "IN (SELECT value FROM json_each(?))"


def packed(tx: Tx, values: Sequence[Any]) -> Any:
    return list(values) if tx.dialect == "postgresql" else msgspec.json.encode(values).decode()


def insert_many(tx: Tx, table: str, columns: dict[str, str], rows: Sequence[Sequence[Any]]) -> None:
    """`columns` names them with their PostgreSQL types: one statement there, one prepared statement on SQLite."""
    if not rows:
        return
    names = ", ".join(columns)
    if tx.dialect == "postgresql":
        arrays = ", ".join(f"?::{kind}[]" for kind in columns.values())
        sql = f"INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own
        tx.raw(sql, [list(column) for column in zip(*rows, strict=True)])
        return
    marks = ", ".join("?" * len(columns))
    tx.raw_many(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - as above
