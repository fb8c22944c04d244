"""`atalaia restore`: a backup into an empty place, verified there."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from atalaia.app.migrations import migration_folders
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.core.errors import ConfigError
from atalaia.store.backup import restore_backup
from atalaia.store.encryption import key_ids
from atalaia.store.opening import MIGRATIONS

app = typer.Typer()


@app.command()
def restore(
    archive: Annotated[Path, typer.Argument(help="The file that `atalaia backup` wrote.")],
    *,
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    secret_key_file: Annotated[Path | None, typer.Option(help="The secret.key of the hub that was backed up.")] = None,
    without_key: Annotated[
        bool, typer.Option("--without-key", help="Go on without it: stored secrets must be typed in again.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what was restored, for scripts.")] = False,
) -> int:
    """Restore a backup into an empty data directory or database, and verify every table.

    Example: atalaia restore atalaia.tar.zst --data-dir /var/lib/atalaia --secret-key-file /root-only/secret.key
    """

    def ask_key(needed: Sequence[str]) -> str | None:
        return None if without_key else _checked(_key_text(secret_key_file), needed)

    manifest = restore_backup(
        archive,
        data_dir=data_dir,
        database_url=database_url,
        migrations=[MIGRATIONS, *migration_folders()],
        ask_key=ask_key,
    )
    rows = sum(table.rows for table in manifest.tables.values())
    if json:
        typer.echo(msgspec.json.encode({"manifest": manifest}).decode())
    else:
        typer.echo(
            f"Restored and verified: {rows:,} rows in {len(manifest.tables)} tables, of {manifest.made_at:%Y-%m-%d %H:%M} UTC"
        )
    return 0


def _key_text(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"can't read the key file {file}") from error
    if sys.stdin.isatty():
        return str(typer.prompt("The backup holds secrets. Content of the old hub's secret.key", hide_input=True))
    raise ConfigError(
        "the backup holds secrets, and the key they were sealed with is not here",
        code="secret_key_missing",
        hint="Give the old hub's key with --secret-key-file, or go on --without-key and type the secrets in again.",
    )


def _checked(text: str, needed: Sequence[str]) -> str:
    given = {key_id.hex() for key_id in key_ids(text, origin="the key given")}
    if not given.issuperset(needed):
        raise ConfigError(
            "this is not the key that the backup's secrets were sealed with",
            code="wrong_secret_key",
            hint="Nothing was restored. Look for the secret.key of the hub that was backed up.",
        )
    return text
