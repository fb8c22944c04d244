"""Embedded stores whose tables were made once in this run: a test begins with a copy, since making them takes ten times as long."""

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from atalaia.app.migrations import migration_folders
from atalaia.store.opening import FILE_NAME, migrate_store, open_store


def copy_tables(data_dir: Path, migrations: Sequence[Path] | None = None) -> None:
    """Into an empty directory: the tables of these slices, or of the whole hub."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(_made(tuple(migration_folders() if migrations is None else migrations)), data_dir)


@cache
def _made(migrations: tuple[Path, ...]) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="atalaia-tables-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = open_store(folder)
    try:
        migrate_store(store, migrations)
    finally:
        store.close()
    return folder / FILE_NAME
