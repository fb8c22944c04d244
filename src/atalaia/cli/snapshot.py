"""`atalaia snapshot`: what runs where, as one Markdown file."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from atalaia.agents.service import AgentsService
from atalaia.app.declared_upstreams import declared_upstreams
from atalaia.app.frame_sources import frame_sources
from atalaia.app.slices import read_settings
from atalaia.app.snapshots.facts import Health, Snapshot
from atalaia.app.snapshots.gathering import Sources, gather
from atalaia.app.snapshots.installation import installation
from atalaia.app.snapshots.keeping import ADDRESS_FILE, keep
from atalaia.app.snapshots.writing import file_name, markdown
from atalaia.captures.service import CapturesService
from atalaia.cli.hubs import HubCalls, Key, KeyFile, read_key
from atalaia.cli.kept_settings import open_kept_settings, sealer_of
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.cli.publishing import publish
from atalaia.core.clock import SystemClock
from atalaia.core.errors import AtalaiaError, ConfigError
from atalaia.core.logging import configure_logging
from atalaia.core.redaction import Secret, scrub
from atalaia.core.settings import Settings
from atalaia.jobs.service.workers import Workers
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.store.directory import DirectoryLock
from atalaia.store.opening import FILE_NAME, open_store
from atalaia.store.store import Store

_REASON: Final = "asked for on the command line"

app = typer.Typer()


@app.command()
def snapshot(
    *,
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    hub: Annotated[
        str | None, typer.Option("--hub", envvar="ATALAIA_HUB", help="Ask this hub, with a key of scope admin.")
    ] = None,
    key: Key = None,
    key_file: KeyFile = None,
    note: Annotated[str, typer.Option(help="A note that stands at its head.")] = "",
    publish_to: Annotated[
        Path | None, typer.Option("--publish", help="A git repository to commit it to and push, as sessions/HOST/….")
    ] = None,
    stdout: Annotated[bool, typer.Option("--stdout", help="Print it, for pasting, and write no file.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what it says as JSON, for scripts.")] = False,
) -> int:
    """Write what runs where: versions, health, tokens' states, workers, log lines, git and systemd; no secret.

    The file is in DATA_DIR/snapshots; with --hub in this directory; with --publish in that repository.

    Example: atalaia snapshot --data-dir /var/lib/atalaia --note "before the update" --publish /srv/sessions
    Example: atalaia snapshot --hub https://watch.example.org --stdout
    """
    configure_logging(level="ERROR")
    if hub is not None:
        taken = asyncio.run(_of_hub(hub, read_key(key, key_file), note=note))
    else:
        taken = _of_directory(data_dir, database_url=database_url, note=note)
    here = installation()
    text = markdown(taken, here=here if hub is not None and here.host != taken.installation.host else None)
    if json:
        typer.echo(msgspec.json.encode(taken).decode())
    elif stdout:
        typer.echo(text, nl=False)
    if publish_to is not None:
        typer.echo(publish(text, publish_to, host=taken.installation.host, at=taken.taken_at), err=stdout or json)
    elif not (stdout or json):
        typer.echo(_write_new(Path(file_name(taken.taken_at)), text) if hub else keep(data_dir, text, taken.taken_at))
    return 0


def _write_new(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


async def _of_hub(url: str, key: Secret, *, note: str) -> Snapshot:
    """Raises: HubRefused, TemporaryFailure."""
    calls = HubCalls(url, key)
    try:
        taken = msgspec.convert(await calls.get("/api/snapshot"), Snapshot)
    finally:
        await calls.aclose()
    return msgspec.structs.replace(taken, note=scrub(note), reason=_REASON)


def _of_directory(data_dir: Path, *, database_url: str | None, note: str) -> Snapshot:
    """Raises: ConfigError: there is no hub's data."""
    if database_url is None and not (data_dir / FILE_NAME).is_file():
        raise ConfigError(
            f"there is no hub's data in {data_dir}", hint="Name its --data-dir, or ask the hub itself: --hub ADDRESS."
        )
    settings = read_settings(data_dir)
    with closing(open_store(data_dir, database_url=database_url)) as store:
        troubles = open_kept_settings(store, settings, data_dir)
        sources = _sources(store, settings, data_dir)
        return asyncio.run(_gather(sources, note=note, troubles=troubles))


async def _gather(sources: Sources, *, note: str, troubles: list[str]) -> Snapshot:
    health = await _health(sources.data_dir)
    return await gather(sources, health=health, reason=_REASON, note=note, troubles=troubles)


def _sources(store: Store, settings: Settings, data_dir: Path) -> Sources:
    clock = SystemClock()
    public_url = str(settings.get("hub.public_url")) or _address(data_dir)
    return Sources(
        store=store,
        clock=clock,
        data_dir=data_dir,
        public_url=public_url,
        registered=declared_upstreams(settings),
        workers=Workers(store, clock=clock, settings=settings),
        agents=AgentsService(store, clock=clock, sealer=sealer_of(data_dir), public_url=public_url),
        captures=CapturesService(store, clock=clock, sources=frame_sources),
    )


async def _health(data_dir: Path) -> Health:
    if not DirectoryLock(data_dir).holder_pid:
        return Health(trouble=f"no hub runs on {data_dir} now")
    http = HttpClient(Guard(allow_private=True))
    try:
        answer = await http.request("GET", f"{_address(data_dir)}/health", trust=Trust.CONFIGURED)
        return msgspec.convert(answer.json(), Health)
    except (AtalaiaError, msgspec.ValidationError) as error:
        return Health(trouble=str(error))
    finally:
        await http.aclose()


def _address(data_dir: Path) -> str:
    """Where the hub of this directory listens, as it wrote down itself."""
    try:
        return (data_dir / ADDRESS_FILE).read_text(encoding="utf-8").strip()
    except OSError:
        return ""
