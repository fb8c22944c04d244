"""Bring a backup back, into an empty place alone, and prove that all of it arrived.

1. The archive is unpacked beside the data, every checksum compared. 2. The key that its secrets need is asked for.
3. The database is examined: integrity, foreign keys, the rows of each table. 4. Only then it takes its place, the last of all: with it
the place is taken, and whatever else was restored must be there by then.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from atalaia.core.errors import BadInput, ConfigError
from atalaia.store.backup import postgresql_copy, settings_file, sqlite_copy
from atalaia.store.backup.archive import Manifest, unpack
from atalaia.store.directory import DirectoryLock, prepare_data_dir
from atalaia.store.encryption import read_key_ids, write_key_file
from atalaia.store.engine import postgresql_engine, sqlite_engine
from atalaia.store.migrations import migrate, pending
from atalaia.store.opening import FILE_NAME

_UNPACKED = ".restore-"
AskKey = Callable[[Sequence[str]], str | None]
"""Given the ids of the keys that are needed: the content of `secret.key`, or None to go on without."""


def restore_backup(
    archive: Path, *, data_dir: Path, database_url: str | None, migrations: Sequence[Path], ask_key: AskKey
) -> Manifest:
    """Restore into an empty directory or database.

    Raises:
        ConfigError: there is data already, another hub runs there, the engine is another, or the key is wrong.
        BadInput: the backup is damaged; nothing was changed.
    """
    prepare_data_dir(data_dir)
    lock = DirectoryLock(data_dir)
    lock.acquire()
    try:
        _refuse_data(data_dir, database_url)
        for leftover in data_dir.glob(f"{_UNPACKED}*"):  # of one that was killed: nobody else has the lock
            shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_UNPACKED, dir=data_dir) as made:
            folder = Path(made)
            manifest = unpack(archive, folder)
            _refuse_other_engine(manifest, database_url)
            key = _needed_key(manifest, data_dir, ask_key)

            def place_the_rest() -> None:
                if key is not None:
                    write_key_file(data_dir, key)
                _place_settings(folder, data_dir)

            if database_url:
                _restore_postgresql(
                    folder, manifest, url=database_url, migrations=migrations, before_commit=place_the_rest
                )
            else:
                _restore_sqlite(folder, manifest, data_dir=data_dir, migrations=migrations, before=place_the_rest)
        return manifest
    finally:
        lock.release()


def _restore_sqlite(
    folder: Path, manifest: Manifest, *, data_dir: Path, migrations: Sequence[Path], before: Callable[[], None]
) -> None:
    database = folder / FILE_NAME
    sqlite_copy.examine(database)
    _compare({name: table.rows for name, table in sqlite_copy.count_rows(database).items()}, manifest)
    engine = sqlite_engine(str(database))
    try:
        pending(engine, migrations)  # raises where the backup is of a newer version
    finally:
        engine.dispose()
    for leftover in (f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
        (folder / leftover).unlink(missing_ok=True)
    database.chmod(0o600)
    before()
    database.replace(data_dir / FILE_NAME)
    handle = os.open(data_dir, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _restore_postgresql(
    folder: Path, manifest: Manifest, *, url: str, migrations: Sequence[Path], before_commit: Callable[[], None]
) -> None:
    engine = postgresql_engine(url)
    try:
        migrate(engine, migrations, to=tuple(manifest.revisions))
    finally:
        engine.dispose()
    with postgresql_copy.connected(url) as connection:  # one transaction: all of it or nothing
        rows = postgresql_copy.copy_in(connection, folder, manifest.tables)
        rows[postgresql_copy.VERSIONS] = postgresql_copy.count_rows(connection, postgresql_copy.VERSIONS)
        _compare(rows, manifest)
        before_commit()


def _compare(rows: Mapping[str, int], manifest: Manifest) -> None:
    for name, table in manifest.tables.items():
        if rows.get(name) != table.rows:
            raise BadInput(
                f"table {name} has {rows.get(name, 0)} rows where the backup had {table.rows}", code="backup_damaged"
            )


def _refuse_data(data_dir: Path, database_url: str | None) -> None:
    hint = "A backup is restored into an empty place: move what is there away, or name another."
    if database_url:
        with postgresql_copy.connected(database_url) as connection:
            if not postgresql_copy.is_empty(connection):
                raise ConfigError("the database has tables already", code="not_empty", hint=hint)
    elif (data_dir / FILE_NAME).exists():
        raise ConfigError(f"{data_dir} has data already", code="not_empty", hint=hint)


def _refuse_other_engine(manifest: Manifest, database_url: str | None) -> None:
    engine = "postgresql" if database_url else "sqlite"
    if manifest.engine != engine:
        raise ConfigError(
            f"the backup is of {manifest.engine} and can't be restored to {engine}",
            code="other_engine",
            hint="Restore it where it came from, then move it: atalaia store copy --help",
        )


def _needed_key(manifest: Manifest, data_dir: Path, ask_key: AskKey) -> str | None:
    """The key to write, or None where the right one is there, none is needed, or the user goes on without."""
    here = {key_id.hex() for key_id in read_key_ids(data_dir)}
    missing = [key_id for key_id in manifest.sealed_with if key_id not in here]
    if not missing:
        return None
    if here:
        raise ConfigError(
            "the key of this data directory is not the one that the backup's secrets were sealed with",
            code="wrong_secret_key",
            hint="Put the secret.key of the old hub there (or its value into ATALAIA_SECRET_KEY), and restore again.",
        )
    return ask_key(missing)


def _place_settings(folder: Path, data_dir: Path) -> None:
    source, target = folder / settings_file.NAME, data_dir / settings_file.NAME
    if source.exists() and not target.exists():
        source.replace(target)
