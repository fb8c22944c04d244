"""A PostgreSQL database as files: COPY of every table in one snapshot; no program of PostgreSQL's is needed.

The schema is not in it: restoring runs the migrations up to the backup's revisions, and copies into their tables.
"""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import psycopg
from psycopg import sql

from atalaia.core.errors import StoreUnavailable
from atalaia.store.backup.archive import TableRows

FOLDER = "tables"
VERSIONS = "alembic_version"
_BLOCK_BYTES = 1 << 20
_COLUMNS = """
    SELECT c.relname, a.attname, t.typname
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relkind = 'r' ORDER BY c.relname, a.attnum
"""
# Parents before children, so that no foreign key is broken on the way in.
_PARENTS = """
    SELECT child.relname, parent.relname
    FROM pg_constraint k
    JOIN pg_class child ON child.oid = k.conrelid
    JOIN pg_class parent ON parent.oid = k.confrelid
    WHERE k.contype = 'f' AND k.connamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
"""


@contextlib.contextmanager
def connected(url: str) -> Iterator[psycopg.Connection]:
    try:
        connection = psycopg.connect(f"postgresql://{url.partition('://')[2]}", connect_timeout=10)
    except psycopg.OperationalError as error:
        raise StoreUnavailable("the database can't be reached", hint=str(error).strip().splitlines()[0]) from error
    with connection:
        yield connection


def copy_out(connection: psycopg.Connection, folder: Path) -> dict[str, TableRows]:
    """Write every table of the schema below `folder`, all as of one moment."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    (folder / FOLDER).mkdir()
    found = {}
    for table, columns in _tables(connection).items():
        command = sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), _listed(columns))
        with (folder / FOLDER / f"{table}.copy").open("wb") as file, connection.cursor() as cursor:
            with cursor.copy(command) as copy:
                for block in copy:
                    file.write(block)
            found[table] = TableRows(cursor.rowcount, list(columns))
    return found


def copy_in(connection: psycopg.Connection, folder: Path, tables: dict[str, TableRows]) -> dict[str, int]:
    """Fill the tables in the caller's transaction; how many rows each has then."""
    wanted = [table for table in _in_order(connection) if table in tables and table != VERSIONS]
    for table in reversed(wanted):  # what migrations put there is in the backup too
        if connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))).fetchone():
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
    for table in wanted:
        command = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), _listed(tables[table].columns))
        source = folder / FOLDER / f"{table}.copy"
        with source.open("rb") as file, connection.cursor() as cursor, cursor.copy(command) as copy:
            while block := file.read(_BLOCK_BYTES):
                copy.write(block)
        advance_sequences(connection, table, tables[table].columns)
    return {table: count_rows(connection, table) for table in wanted}


def count_rows(connection: psycopg.Connection, table: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return 0 if row is None else int(row[0])


def is_empty(connection: psycopg.Connection) -> bool:
    return not _tables(connection)


def revisions(connection: psycopg.Connection) -> list[str]:
    if VERSIONS not in _tables(connection):
        return []
    return [row[0] for row in connection.execute(f"SELECT version_num FROM {VERSIONS} ORDER BY 1")]  # noqa: S608 - a constant


def keys_in_use(connection: psycopg.Connection, key_ids: Iterable[bytes]) -> list[str]:
    """See sqlite_copy.keys_in_use."""
    places = [
        (table, column)
        for table, columns in _tables(connection).items()
        for column, kind in columns.items()
        if kind == "bytea"
    ]
    query = sql.SQL("SELECT 1 FROM {} WHERE substring({} from 1 for {}) = {} LIMIT 1")

    def is_at(place: tuple[str, str], key_id: bytes) -> bool:
        table, column = place
        made = query.format(sql.Identifier(table), sql.Identifier(column), len(key_id), key_id)
        return connection.execute(made).fetchone() is not None

    return [key_id.hex() for key_id in key_ids if any(is_at(place, key_id) for place in places)]


def _tables(connection: psycopg.Connection) -> dict[str, dict[str, str]]:
    """Table -> column -> type."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in connection.execute(_COLUMNS):
        found.setdefault(table, {})[column] = kind
    return found


def _in_order(connection: psycopg.Connection) -> list[str]:
    waiting = {table: set[str]() for table in _tables(connection)}
    for child, parent in connection.execute(_PARENTS):
        if child != parent:
            waiting[child].add(parent)
    ordered: list[str] = []
    while waiting:
        # A circle of foreign keys would leave none free: then any order, and the database judges.
        free = sorted(table for table, parents in waiting.items() if not parents & waiting.keys()) or sorted(waiting)
        ordered += free
        waiting = {table: parents for table, parents in waiting.items() if table not in free}
    return ordered


def advance_sequences(connection: psycopg.Connection, table: str, columns: list[str]) -> None:
    quoted = sql.Identifier(table).as_string(connection)
    for column in columns:
        row = connection.execute("SELECT pg_get_serial_sequence(%s, %s)", (quoted, column)).fetchone()
        if row is not None and row[0] is not None:
            highest = sql.SQL("SELECT setval({}, greatest(max({}), 1)) FROM {}")
            connection.execute(highest.format(row[0], sql.Identifier(column), sql.Identifier(table)))


def _listed(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
