"""`atalaia key`: API keys, also while a hub runs."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from atalaia.access.model import ApiKey
from atalaia.access.service.keys import SCOPES, CreatedKey, create_key, find_key, list_keys, revoke_key
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.cli.stores import opened_store, operator
from atalaia.sdk.transaction import Tx

_BATCH = 200

app = typer.Typer(no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Where the key is used.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do; may be given again. One of {', '.join(SCOPES)}.")],
    *,
    value_stdin: Annotated[
        bool, typer.Option("--value-stdin", help="Read from standard input a key that is in use elsewhere.")
    ] = False,
    expires_days: Annotated[int | None, typer.Option(help="Days until it ends; never by default.", min=1)] = None,
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Make an API key and print it, this once. It works at once.

    Example: atalaia key create n8n --scope ingest --scope signal:close
    """
    value = sys.stdin.readline().strip() if value_stdin else None

    def unit(tx: Tx) -> CreatedKey:
        now = datetime.now(UTC)
        expires_at = now + timedelta(days=expires_days) if expires_days else None
        return create_key(tx, operator(), name=name, scopes=scope, expires_at=expires_at, value=value, now=now)

    with opened_store(data_dir, database_url) as store:
        made = store.write_now(unit)
    if made.is_weak:
        typer.echo("This key is shorter than 32 characters: replace it when you can.", err=True)
    if json:
        _print_json({"id": made.key.id, "key": made.value})
    else:
        typer.echo(made.value)
        typer.echo("Keep it now: the hub has only its hash.", err=True)
    return 0


@app.command(name="list")
def list_(data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None, json: Json = False) -> int:
    """List all keys by their beginnings, the newest first.

    Example: atalaia key list --json
    """
    with opened_store(data_dir, database_url) as store:
        keys = store.read_now(_all_keys)
    if json:
        _print_json(keys)
        return 0
    now = datetime.now(UTC)
    for key in keys:
        state = "" if key.is_valid(now) else "revoked" if key.revoked_at else "expired"
        used = f"used {key.used_at:%Y-%m-%d %H:%M} UTC" if key.used_at else "not used yet"
        words = (f"{key.id}  {key.prefix:18} {key.name:24}", ",".join(key.scopes), used, state)
        typer.echo("  ".join(word for word in words if word))
    return 0


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key's id, its beginning (ata_…), or its name.")],
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
) -> int:
    """End a key; within a second no hub takes it any more.

    Example: atalaia key revoke n8n
    """

    def unit(tx: Tx) -> ApiKey:
        return revoke_key(tx, operator(), find_key(tx, key).id, now=datetime.now(UTC))

    with opened_store(data_dir, database_url) as store:
        revoked = store.write_now(unit)
    typer.echo(f"{revoked.name} ({revoked.prefix}) is revoked.")
    return 0


def _all_keys(tx: Tx) -> list[ApiKey]:
    found: list[ApiKey] = []
    while True:
        batch = list_keys(tx, limit=_BATCH, after=found[-1].id if found else None)
        found += batch
        if len(batch) < _BATCH:
            return found


def _print_json(value: object) -> None:
    typer.echo(msgspec.json.encode(value).decode())
