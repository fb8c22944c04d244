"""`atalaia doctor`: looks at everything a hub stands on, and says what to do."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from sqlalchemy.exc import SQLAlchemyError

from atalaia.app.migrations import migration_folders
from atalaia.app.slices import read_settings
from atalaia.cli import reaching, surroundings
from atalaia.cli.integrations import examine_integrations
from atalaia.cli.kept_settings import open_kept_settings
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.cli.smoke import examine_hub
from atalaia.core.errors import AtalaiaError
from atalaia.core.settings import Settings
from atalaia.store import diagnosis
from atalaia.store.diagnosis import Finding, Verdict
from atalaia.store.directory import DirectoryLock
from atalaia.store.opening import FILE_NAME, open_store

app = typer.Typer()
_SIGNS = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.ERROR: "✗"}


@app.command()
def doctor(
    *,
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    host: Annotated[str, typer.Option(help="The address the hub is to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port the hub is to listen on.", min=1, max=65535)] = 8400,
    url: Annotated[str | None, typer.Option(help="Ask a running hub instead: the smoke test after a deploy.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the findings for scripts.")] = False,
) -> int:
    """Check settings, keys, clock, disk, port, database, network and upstreams. Status 1 when something is wrong.

    The addresses of configured upstreams are tried by IPv4 and IPv6 and their certificates read; nobody logs in.

    Example: atalaia doctor --data-dir /var/lib/atalaia
    Example: atalaia doctor --url https://watch.example.org
    """
    findings = (
        list(examine_hub(url))
        if url
        else list(_examine_here(data_dir, database_url=database_url, host=host, port=port))
    )
    if json:
        typer.echo(msgspec.json.encode([asdict(finding) for finding in findings]).decode())
    else:
        _say(findings)
    return int(any(finding.verdict is Verdict.ERROR for finding in findings))


def _examine_here(data_dir: Path, *, database_url: str | None, host: str, port: int) -> Iterator[Finding]:
    yield from surroundings.examine_settings(lambda: read_settings(data_dir))
    yield from examine_integrations(lambda: read_settings(data_dir))
    yield from diagnosis.examine_directory(data_dir)
    yield from diagnosis.examine_key(data_dir)
    yield from diagnosis.examine_disk(data_dir)
    yield from diagnosis.examine_database(data_dir, database_url=database_url, slices=migration_folders())
    hub_pid = DirectoryLock(data_dir).holder_pid if data_dir.is_dir() else None
    yield from surroundings.examine_port(host, port, hub_pid=hub_pid)
    yield from surroundings.examine_families()
    yield from reaching.examine_upstreams(lambda: _all_settings(data_dir, database_url=database_url))
    yield from surroundings.examine_clock()
    yield from surroundings.examine_limits()


def _all_settings(data_dir: Path, *, database_url: str | None) -> Settings:
    """Those of the page too, where the database can be read; what is wrong with it has been said. Raises: ConfigError."""
    settings = read_settings(data_dir)
    if database_url is None and not (data_dir / FILE_NAME).is_file():
        return settings
    with suppress(AtalaiaError, SQLAlchemyError), closing(open_store(data_dir, database_url=database_url)) as store:
        open_kept_settings(store, settings, data_dir)
    return settings


def _say(findings: list[Finding]) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        typer.echo(f"{_SIGNS[finding.verdict]} {finding.subject:<{width}}  {finding.message}")
        if finding.advice:
            typer.echo(f"  {'':<{width}}  → {finding.advice}")
    errors = sum(finding.verdict is Verdict.ERROR for finding in findings)
    warnings = sum(finding.verdict is Verdict.WARNING for finding in findings)
    typer.echo(f"{errors} errors, {warnings} warnings")
