"""`atalaia signal`: signals and their schedules, also while a hub runs; and one sent by hand."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from atalaia.app.slices import read_settings
from atalaia.cli.hubs import HubUrl, Key, KeyFile, read_key
from atalaia.cli.places import DatabaseUrl, DataDir
from atalaia.cli.stores import opened_store, operator
from atalaia.core.errors import ConfigError
from atalaia.integrations import find_integrations
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.signals import (
    MIN_INTERVAL_S,
    TIMEZONE,
    Options,
    SignalIn,
    SignalRow,
    read_options,
)
from atalaia.signals.service.book import Actor, Book, Put, SignalAndLock, all_signals, check_named, one_signal
from atalaia.signals.service.command_task import check_command, read_commands
from atalaia.signals.service.webhook_task import check_webhook
from atalaia.store.encryption import load_sealer

app = typer.Typer(no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The signal's name.", metavar="NAME")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
_ANSWERED = frozenset({200, 202, 429})


@app.command()
def create(
    name: Name,
    *,
    task: Annotated[
        str,
        typer.Option(help="What it does: a task of an integration, as binance.auto_close; job, webhook or command."),
    ],
    min_interval: Annotated[
        float, typer.Option(help="Seconds from one start to the next, at the least.", min=0, max=86_400)
    ] = MIN_INTERVAL_S,
    expect_every: Annotated[
        float | None,
        typer.Option(
            help="Seconds between its sender's signals, so that missing ones are noticed.", min=0.001, max=86_400
        ),
    ] = None,
    cron: Annotated[str | None, typer.Option(help="Runs by the clock: a cron expression of five fields.")] = None,
    timezone: Annotated[str, typer.Option(help="The time zone that --cron is read in.")] = TIMEZONE,
    runs_missed: Annotated[
        bool, typer.Option("--runs-missed", help="One run for all slots that passed while no hub ran.")
    ] = False,
    paused: Annotated[bool, typer.Option("--paused", help="It takes no signals, and its schedule rests.")] = False,
    job_type: Annotated[str | None, typer.Option("--type", help="For the task job: the type of the job.")] = None,
    payload: Annotated[str, typer.Option(help="For the task job: its payload, as JSON.")] = "{}",
    queue: Annotated[str, typer.Option(help="For the task job: the queue it waits in.")] = "default",
    url: Annotated[str | None, typer.Option(help="For the task webhook: where it posts to.")] = None,
    command: Annotated[
        str | None, typer.Option(help="For the task command: its name in [signals.commands] of atalaia.toml.")
    ] = None,
    data_dir: DataDir = Path("data"),
    database_url: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Make a signal; where there is one of this name, change it to what is said here.

    Example: atalaia signal create monitor-execution --task binance.auto_close --min-interval 1.5
    """
    wanted = _wanted(
        name=name,
        task=task,
        min_interval_s=min_interval,
        expect_every_s=expect_every,
        cron=cron,
        timezone=timezone,
        runs_missed=runs_missed,
        is_paused=paused,
        job=_job(job_type, payload, queue),
        webhook={"url": url} if url else None,
        command=command,
    )
    with opened_store(data_dir, database_url) as store:
        book = Book(sealer=load_sealer(data_dir), check=_checking(data_dir))
        now = datetime.now(UTC)
        put = store.write_now(lambda tx: book.put(tx, wanted, Actor(operator()), now=now, may_exist=True))
    _tell(put, json=json)
    return 0


@app.command(name="list")
def list_(data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None, json: Json = False) -> int:
    """List all signals, by name.

    Example: atalaia signal list --json
    """
    with opened_store(data_dir, database_url) as store:
        found = store.read_now(all_signals)
    if json:
        typer.echo(_json([_shown(each) for each in found]))
        return 0
    for each in found:
        words = (each.row.name.ljust(24), each.row.task.ljust(24), _every(each.row), _state(each))
        typer.echo("  ".join(word for word in words if word).rstrip())
    return 0


@app.command()
def show(name: Name, data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None, json: Json = False) -> int:
    """Show one signal.

    Example: atalaia signal show monitor-execution
    """
    with opened_store(data_dir, database_url) as store:
        found = store.read_now(lambda tx: one_signal(tx, name))
    if json:
        typer.echo(_json(_shown(found)))
        return 0
    for key, value in _shown(found).items():
        if value not in (None, False):
            typer.echo(f"{key:16} {value if isinstance(value, str) else _json(value)}")
    return 0


@app.command()
def drop(name: Name, data_dir: DataDir = Path("data"), database_url: DatabaseUrl = None) -> int:
    """Remove a signal; a run that is under way is broken off.

    Example: atalaia signal drop monitor-execution
    """

    def unit(tx: Tx) -> None:
        book.drop(tx, name, Actor(operator()), now=datetime.now(UTC))

    with opened_store(data_dir, database_url) as store:
        book = Book(sealer=load_sealer(data_dir), check=_checking(data_dir))
        store.write_now(unit)
    typer.echo(f"{name} is dropped.")
    return 0


@app.command()
def send(
    name: Name,
    *,
    hub: HubUrl,
    key: Key = None,
    key_file: KeyFile = None,
    source: Annotated[str, typer.Option(help="Who says it; shown with the run.")] = "atalaia signal send",
    json: Json = False,
) -> int:
    """Send a signal to a hub, as a signaller does; the key needs the scope signal:NAME.

    Exit status: 0 answered (a run has begun, one is under way, or it is too soon), 1 refused or not reached.

    Example: atalaia signal send monitor-execution --hub https://watch.example.org --key-file signal.key
    """
    status, said = asyncio.run(_send(hub, name, key=read_key(key, key_file).reveal(), source=source))
    words = said.get("message") or said.get("error") or "what answers there is not Atalaia"
    typer.echo(_json({"http": status, **said}) if json else f"{status}: {words}")
    return 0 if status in _ANSWERED else 1


async def _send(hub: str, name: str, *, key: str, source: str) -> tuple[int, dict[str, Any]]:
    http = HttpClient(Guard(allow_private=True))
    try:
        answer = await http.request(
            "POST",
            f"{hub.rstrip('/')}/api/signals/{name}",
            headers={"x-monitor-key": key, "Content-Type": "application/json"},
            body=msgspec.json.encode({"timestamp": datetime.now(UTC), "source": source}),
            trust=Trust.CONFIGURED,
        )
    finally:
        await http.aclose()
    said = msgspec.json.decode(answer.body) if answer.body[:1] == b"{" else {}
    return answer.status, said


def _wanted(**fields: Any) -> SignalIn:
    """Raises: ConfigError: a value that can't be."""
    try:
        return msgspec.json.decode(
            msgspec.json.encode({k: v for k, v in fields.items() if v is not None}), type=SignalIn
        )
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error


def _job(job_type: str | None, payload: str, queue: str) -> dict[str, Any] | None:
    if job_type is None:
        return None
    try:
        msgspec.json.decode(payload)
    except msgspec.DecodeError as error:
        raise ConfigError(f"--payload is not JSON: {error}") from error
    return {"type": job_type, "payload": msgspec.Raw(payload.encode()), "queue": queue}


def _checking(data_dir: Path) -> Any:
    """As the hub checks it, as far as it can be told without one."""
    allowed = read_commands(read_settings(data_dir))
    integrations = [loaded.name for loaded in find_integrations()]

    def check(task: str, options: Options) -> None:
        check_named(integrations, options, task)
        if task == "webhook":
            check_webhook(options)
        elif task == "command":
            check_command(allowed, options)

    return check


def _tell(put: Put, *, json: bool) -> None:
    row = put.row
    if json:
        made = {"name": row.name, "is_new": put.is_new}
        typer.echo(_json(made | ({"secret": put.secret} if put.secret else {})))
        return
    typer.echo(f"{row.name} {'is made' if put.is_new else 'is changed'}: {row.task}, {_every(row)}.")
    if put.secret:
        typer.echo(put.secret)
        typer.echo("Its posts are signed with this; it is shown this once.", err=True)


def _shown(found: SignalAndLock) -> dict[str, Any]:
    row, options = found.row, read_options(found.row.options)
    hidden = {"options", "secret", "min_interval_ms"}
    plain: dict[str, Any] = {key: value for key, value in row._asdict().items() if key not in hidden}
    own = {"job": options.job, "url": options.url, "command": options.command}
    plain |= {key: value for key, value in own.items() if value is not None}
    return plain | {"min_interval_s": row.min_interval_ms / 1000, "state": _state(found), "fence": found.lock.fence}


def _every(row: SignalRow) -> str:
    by_clock = f"at {row.cron} ({row.timezone})" if row.cron else ""
    return f"not more often than each {row.min_interval_ms / 1000:g} s {by_clock}".strip()


def _state(found: SignalAndLock) -> str:
    return "paused" if found.row.is_paused else "running" if found.lock.run_id else ""


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
