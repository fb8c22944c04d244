"""Move a hub's data from the embedded store to PostgreSQL: every row of every table, in one transaction."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import psycopg
from sqlalchemy import Engine, MetaData, Table, func, select
from sqlalchemy.engine import Connection

from atalaia.core.errors import BadInput, ConfigError
from atalaia.store.backup import postgresql_copy
from atalaia.store.engine import postgresql_engine, sqlite_engine
from atalaia.store.migrations import migrate
from atalaia.store.opening import FILE_NAME

ROWS_AT_ONCE = 250  # parts of files are wide


def copy_to_postgresql(data_dir: Path, url: str, *, migrations: Sequence[Path]) -> dict[str, int]:
    """Copy into an empty database; rows by table. The source is read and stays as it is. No hub may run on it.

    Raises:
        ConfigError: there is nothing to copy, or the database has tables already.
        BadInput: a table came out with another number of rows; nothing was kept.
    """
    if not (data_dir / FILE_NAME).is_file():
        raise ConfigError(f"there is no data of a hub in {data_dir}", code="nothing_there")
    with postgresql_copy.connected(url) as connection:
        if not postgresql_copy.is_empty(connection):
            raise ConfigError("the database has tables already", code="not_empty", hint="Name an empty database.")
    source, target = sqlite_engine(str(data_dir / FILE_NAME)), postgresql_engine(url)
    try:
        migrate(source, migrations)  # to the same revision on both sides
        migrate(target, migrations)
        return _copy(source, target)
    finally:
        source.dispose()
        target.dispose()


def _copy(source: Engine, target: Engine) -> dict[str, int]:
    ours, theirs = MetaData(), MetaData()
    ours.reflect(source)
    theirs.reflect(target)
    tables = [table for table in theirs.sorted_tables if table.name != postgresql_copy.VERSIONS]
    with source.connect() as reading, target.begin() as writing:
        for table in reversed(tables):  # what migrations put there comes with the rest
            if writing.execute(select(table).limit(1)).first() is not None:
                writing.execute(table.delete())
        return {table.name: _copy_table(reading, writing, ours.tables[table.name], table) for table in tables}


def _copy_table(reading: Connection, writing: Connection, source: Table, target: Table) -> int:
    for rows in reading.execute(select(source)).mappings().partitions(ROWS_AT_ONCE):
        writing.execute(target.insert(), [dict(row) for row in rows])
    driver = cast("psycopg.Connection", writing.connection.driver_connection)
    postgresql_copy.advance_sequences(driver, target.name, [column.name for column in target.columns])
    before, after = (
        int(side.execute(select(func.count()).select_from(table)).scalar_one())
        for side, table in ((reading, source), (writing, target))
    )
    if before != after:
        raise BadInput(f"table {target.name} has {after} rows where the store had {before}", code="copy_incomplete")
    return after
