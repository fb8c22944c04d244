"""Make a backup while the hub runs."""

import tempfile
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from atalaia.core.errors import ConfigError
from atalaia.store.backup import postgresql_copy, settings_file, sqlite_copy
from atalaia.store.backup.archive import FORMAT, SUFFIX, Manifest, TableRows, check_archive, describe, write_archive
from atalaia.store.encryption import read_key_ids
from atalaia.store.opening import FILE_NAME

FOLDER = "backups"


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
        ConfigError: there is nothing to back up, or `target` is there already.
        BadInput: the database is damaged, or what was written can't be read back.
        StoreUnavailable: the database can't be reached.
    """
    if target.exists():
        raise ConfigError(f"{target} is there already", code="file_exists", hint="Choose another name for the backup.")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=target.parent) as made:
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
    return check_archive(target)


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
