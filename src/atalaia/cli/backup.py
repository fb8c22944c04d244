"""`atalaia backup`: one verified file, made while the hub runs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from atalaia.app.slices import declared_settings
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.store.backup import Manifest, make_backup
from atalaia.store.backup.making import default_target
from atalaia.version import VERSION

app = typer.Typer()


@app.command()
def backup(
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    to: Annotated[Path | None, typer.Option(help="The file to write; by default one in DATA_DIR/backups.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print what the backup holds, for scripts.")] = False,
) -> int:
    """Write a backup and read it back. The hub may run meanwhile.

    The key of stored secrets (secret.key) is not in it: keep that one elsewhere.

    Example: atalaia backup --data-dir /var/lib/atalaia --to /mnt/backups/atalaia.tar.zst
    """
    now = datetime.now(UTC)
    target = to or default_target(data_dir, now)
    secret_settings = {setting.key for setting in declared_settings() if setting.kind == "secret"}
    manifest = make_backup(
        target,
        data_dir=data_dir,
        database_url=database_url,
        version=VERSION,
        now=now,
        secret_settings=secret_settings,
    )
    if json:
        typer.echo(msgspec.json.encode({"file": str(target), "manifest": manifest}).decode())
    else:
        _say(target, manifest)
    return 0


def _say(target: Path, manifest: Manifest) -> None:
    rows = sum(table.rows for table in manifest.tables.values())
    typer.echo(f"{target}: {target.stat().st_size:,} bytes, {rows:,} rows in {len(manifest.tables)} tables, verified")
    if manifest.sealed_with:
        typer.echo("Its secrets open with this hub's secret.key alone: keep a copy of that file in another place.")
