"""`atalaia migrate`: bring the database to this version, or tell whether it is."""

from pathlib import Path
from typing import Annotated

import typer

from atalaia.app.migrations import migration_folders
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.store.directory import DirectoryLock, prepare_data_dir
from atalaia.store.migrations import pending
from atalaia.store.opening import FILE_NAME, MIGRATIONS, migrate_store, open_store

app = typer.Typer()
PENDING = 3


@app.command()
def migrate(
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; status 3 when migrations are pending.")
    ] = False,
) -> int:
    """Run the migrations that `atalaia serve` would run at its start.

    Example: atalaia migrate --check --data-dir /var/lib/atalaia
    """
    if check and not database_url and not (data_dir / FILE_NAME).exists():
        typer.echo(f"There is no database in {data_dir} yet; `atalaia serve` makes one.")
        return PENDING
    prepare_data_dir(data_dir)
    lock = DirectoryLock(data_dir)
    if not check:
        lock.acquire()
    store = open_store(data_dir, database_url=database_url)
    try:
        if check:
            waiting = pending(store.reader_engine, [MIGRATIONS, *migration_folders()])
            typer.echo(f"Pending: {', '.join(waiting)}" if waiting else "The database is of this version.")
            return PENDING if waiting else 0
        applied = migrate_store(store, migration_folders())
        typer.echo(f"Applied: {', '.join(applied)}" if applied else "The database is of this version already.")
        return 0
    finally:
        store.close()
        lock.release()
