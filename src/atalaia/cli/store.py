"""`atalaia store`: what is done to the store as a whole."""

from pathlib import Path
from typing import Annotated

import typer

from atalaia.app.migrations import migration_folders
from atalaia.cli.places import DataDir
from atalaia.store.directory import DirectoryLock, prepare_data_dir
from atalaia.store.moving import copy_to_postgresql
from atalaia.store.opening import MIGRATIONS

app = typer.Typer(no_args_is_help=True)


@app.callback()
def store() -> None:
    """Move the data of a hub.

    Example: atalaia store copy --data-dir /var/lib/atalaia --to postgresql://atalaia@db.example.org/atalaia
    """


@app.command()
def copy(
    *,
    data_dir: DataDir = Path("data"),
    to: Annotated[str, typer.Option(help="An empty PostgreSQL database (postgresql://…).")],
) -> int:
    """Copy the embedded store to PostgreSQL, and count every table. Stop the hub first.

    Example: atalaia store copy --data-dir /var/lib/atalaia --to postgresql://atalaia@db.example.org/atalaia
    """
    lock = DirectoryLock(prepare_data_dir(data_dir))
    lock.acquire()
    try:
        rows = copy_to_postgresql(data_dir, to, migrations=[MIGRATIONS, *migration_folders()])
    finally:
        lock.release()
    typer.echo(
        f"Copied and counted: {sum(rows.values()):,} rows in {len(rows)} tables. The embedded store is as it was."
    )
    typer.echo(
        "From now on: atalaia serve --database-url … with the same data directory, which has the key of secrets."
    )
    return 0
