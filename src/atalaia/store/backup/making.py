"""Make a backup while the hub runs."""

import contextlib
import errno
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import psycopg

from atalaia.core.errors import ConfigError, StoreFull
from atalaia.store.backup import postgresql_copy, settings_file, sqlite_copy
from atalaia.store.backup.archive import FORMAT, SUFFIX, Manifest, TableRows, check_archive, describe, write_archive
from atalaia.store.encryption import read_key_ids
from atalaia.store.engine import translate_error
from atalaia.store.opening import FILE_NAME

FOLDER = "backups"
_UNPACKED = ".backup-"
_LEFT_S = 86_400.0  # longer than any backup takes
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def default_target(data_dir: Path, now: datetime) -> Path:
    return data_dir / FOLDER / f"atalaia-{now:%Y%m%dT%H%M%SZ}{SUFFIX}"


def make_backup(
    target: Path,
    *,
    data_dir: Path,
    database_url: str | None,
    version: str,
    now: datetime,
    secret_settings: Collection[str] = (),
) -> Manifest:
    """Write a backup and read it back; what stands in `target` then is whole.

    Raises:
        ConfigError: there is nothing to back up, `target` is there already, or can't be written.
        StoreFull: there is no room for it.
        BadInput: the database is damaged, or what was written can't be read back.
        StoreUnavailable: the database can't be reached.
    """
    if target.exists():
        raise ConfigError(f"{target} is there already", code="file_exists", hint="Choose another name for the backup.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _clear_away(target.parent)
        _write(
            target,
            data_dir=data_dir,
            database_url=database_url,
            version=version,
            now=now,
            secret_settings=secret_settings,
        )
    except OSError as error:
        raise _unwritable(target, error) from error
    except (sqlite3.Error, psycopg.Error) as error:
        raise translate_error(error) or error from error
    return check_archive(target)


def _write(
    target: Path,
    *,
    data_dir: Path,
    database_url: str | None,
    version: str,
    now: datetime,
    secret_settings: Collection[str],
) -> None:
    with tempfile.TemporaryDirectory(prefix=_UNPACKED, dir=target.parent) as made:
        folder = Path(made)
        engine, revisions, tables, sealed_with = _copy_database(folder, data_dir=data_dir, database_url=database_url)
        settings_file.copy_without_secrets(
            data_dir / settings_file.NAME, folder / settings_file.NAME, secret_keys=secret_settings
        )
        manifest = Manifest(
            format=FORMAT,
            product="atalaia",
            version=version,
            made_at=now,
            engine=engine,
            revisions=revisions,
            tables=tables,
            sealed_with=sealed_with,
            members=describe(folder),
        )
        write_archive(target, folder=folder, manifest=manifest)


def _clear_away(parent: Path) -> None:
    """What was left by a backup that was killed: as large as the database, and never looked at again."""
    before = time.time() - _LEFT_S
    for path in (*parent.glob(f"{_UNPACKED}*"), *parent.glob(f"*{SUFFIX}.part")):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _unwritable(target: Path, error: OSError) -> ConfigError | StoreFull:
    if error.errno in _NO_ROOM:
        hint = "For a moment it takes twice the database's room: free some, or name a --to elsewhere."
        return StoreFull(f"there is no room for the backup in {target.parent}", hint=hint)
    return ConfigError(f"can't write the backup {target}: {error.strerror or error}", code="backup_unwritable")


_Copied = tuple[str, list[str], dict[str, TableRows], list[str]]


def _copy_database(folder: Path, *, data_dir: Path, database_url: str | None) -> _Copied:
    key_ids = read_key_ids(data_dir)
    if database_url:
        with postgresql_copy.connected(database_url) as connection:
            tables = postgresql_copy.copy_out(connection, folder)
            if not tables:
                raise _nothing("the database")
            revisions = postgresql_copy.revisions(connection)
            return "postgresql", revisions, tables, postgresql_copy.keys_in_use(connection, key_ids)
    source = data_dir / FILE_NAME
    if not source.is_file():
        raise _nothing(str(data_dir))
    copy = folder / FILE_NAME
    sqlite_copy.copy_out(source, copy)
    sqlite_copy.examine(copy)
    tables = sqlite_copy.count_rows(copy)
    return "sqlite", sqlite_copy.revisions(copy), tables, sqlite_copy.keys_in_use(copy, key_ids)


def _nothing(where: str) -> ConfigError:
    return ConfigError(
        f"there is no data of a hub in {where}",
        code="nothing_there",
        hint="Name the right --data-dir or --database-url.",
    )
