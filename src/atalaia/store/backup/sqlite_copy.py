"""A SQLite database as one file: copied while others write, and looked at closely before it is believed."""

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from atalaia.core.errors import BadInput
from atalaia.store.backup.archive import TableRows

BUSY_TIMEOUT_S = 30


def copy_out(database: Path, target: Path) -> None:
    """Copy the state of one moment; writers are not held up (https://www.sqlite.org/backup.html).

    All pages in one step: with several, a write of another process would start it all over.
    """
    with (
        contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S)) as source,
        contextlib.closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it


def examine(database: Path) -> None:
    """Look for damage.

    Raises:
        BadInput: the database is damaged; says where.
    """
    with _reading(database) as connection:
        try:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
        except sqlite3.DatabaseError as error:
            raise _damaged(str(error)) from error
    if found != ["ok"]:
        raise _damaged("; ".join(found))
    if orphan is not None:
        raise _damaged(f"a row of {orphan[0]} names one of {orphan[2]} that is not there")


def count_rows(database: Path) -> dict[str, TableRows]:
    with _reading(database) as connection:
        names = [
            row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        ]
        return {
            name: TableRows(
                connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0],  # noqa: S608 - a name of the schema
                [row[1] for row in connection.execute(f'PRAGMA table_info("{name}")')],
            )
            for name in names
            if not name.startswith("sqlite_")
        }


def revisions(database: Path) -> list[str]:
    with _reading(database) as connection:
        return [row[0] for row in connection.execute("SELECT version_num FROM alembic_version ORDER BY 1")]


def keys_in_use(database: Path, key_ids: Iterable[bytes]) -> list[str]:
    """Which of these keys some stored secret was sealed with: a sealed value begins with its key's id."""
    with _reading(database) as connection:
        return [key_id.hex() for key_id in key_ids if _is_in_use(connection, key_id)]


def _is_in_use(connection: sqlite3.Connection, key_id: bytes) -> bool:
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        for column in connection.execute(f'PRAGMA table_info("{name}")').fetchall():
            if column[2].upper() != "BLOB":
                continue
            query = f'SELECT 1 FROM "{name}" WHERE substr("{column[1]}", 1, ?) = ? LIMIT 1'  # noqa: S608 - as above
            if connection.execute(query, (len(key_id), key_id)).fetchone():
                return True
    return False


def _reading(database: Path) -> "contextlib.closing[sqlite3.Connection]":
    return contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=BUSY_TIMEOUT_S))


def _damaged(why: str) -> BadInput:
    return BadInput(
        f"the database is damaged: {why}", code="database_damaged", hint="Restore the last backup that is whole."
    )
