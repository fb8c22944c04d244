"""`atalaia job`: jobs of a hub, and one run by hand."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
import typer

from atalaia.cli.by_hand import Telling, run_at_hub, run_here
from atalaia.cli.hubs import HubCalls, HubUrl, Key, KeyFile, read_key
from atalaia.cli.places import DataDir
from atalaia.core.errors import ConfigError
from atalaia.core.logging import configure_logging

app = typer.Typer(no_args_is_help=True)
Type = Annotated[str, typer.Argument(help="The job's type.", metavar="TYPE")]
JobId = Annotated[str, typer.Argument(help="The job's id.", metavar="ID")]
Payload = Annotated[Path, typer.Option("--payload", help="A file with the payload, as JSON; - reads standard input.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
Call = Callable[[HubCalls], Awaitable[Any]]


@app.command()
def run(
    job_type: Type,
    *,
    payload: Payload,
    hub: Annotated[
        str | None,
        typer.Option(
            "--hub", envvar="ATALAIA_HUB", help="Run it for this hub, on its record; else here, on no record."
        ),
    ] = None,
    key: Key = None,
    key_file: KeyFile = None,
    data_dir: DataDir = Path("data"),
    json: Json = False,
) -> int:
    """Run one job in the foreground, and show its steps and frames with secrets taken out.

    With --hub the job is the hub's: created there, leased by this process (or by another worker that was quicker), with the
    hub's settings, templates and token; the key needs jobs:create, jobs:work and read. Without, it runs on the settings of
    environment and atalaia.toml with a login of its own, and nobody else knows of it.

    Exit status: 0 done, 1 failed or cancelled, 3 its outcome is unknown.

    Example: atalaia job run verify_scheme --payload vehicle.json --hub https://watch.example.org
    """
    configure_logging(level="ERROR")
    raw = _read_payload(payload)
    telling = Telling(is_json=json)
    if hub is not None:
        return asyncio.run(run_at_hub(job_type, raw, hub=hub, key=read_key(key, key_file), telling=telling))
    return asyncio.run(run_here(job_type, raw, data_dir=data_dir, telling=telling))


@app.command()
def create(
    job_type: Type,
    *,
    payload: Payload,
    hub: HubUrl,
    key: Key = None,
    key_file: KeyFile = None,
    queue: Annotated[str, typer.Option(help="The queue it waits in.")] = "default",
    priority: Annotated[int, typer.Option(help="The higher, the sooner.", min=-1000, max=1000)] = 0,
    unique_key: Annotated[
        str | None, typer.Option(help="While a job with this key is unfinished, it is answered in place of a new one.")
    ] = None,
    json: Json = False,
) -> int:
    """Start a job; prints its id.

    Example: atalaia job create custom_command --payload command.json --hub https://watch.example.org
    """
    fields = {"type": job_type, "payload": msgspec.Raw(_read_payload(payload)), "queue": queue, "priority": priority}
    body = msgspec.json.encode(fields | ({"unique_key": unique_key} if unique_key else {}))
    made = _ask(hub, key, key_file, lambda calls: calls.post("/api/jobs", body))
    typer.echo(_json(made) if json else made["id"])
    return 0


@app.command(name="list")
def list_(
    *,
    hub: HubUrl,
    key: Key = None,
    key_file: KeyFile = None,
    status: Annotated[
        str | None, typer.Option(help="pending, processing, completed, error or cancelled; all by default.")
    ] = None,
    job_type: Annotated[str | None, typer.Option("--type", help="Of one type.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1, max=500)] = 50,
    json: Json = False,
) -> int:
    """List jobs, the newest first.

    Example: atalaia job list --status error --hub https://watch.example.org
    """
    wanted = {"status": status, "type": job_type, "limit": limit}
    query = urlencode({name: value for name, value in wanted.items() if value is not None})
    found = _ask(hub, key, key_file, lambda calls: calls.get(f"/api/jobs?{query}"))["items"]
    if json:
        typer.echo(_json(found))
        return 0
    for job in found:
        why = (job.get("error") or {}).get("message", "")
        typer.echo(f"{job['id']}  {job['status']:10} {job['type']:24} {job['createdAt'][:19]}  {why}".rstrip())
    return 0


@app.command()
def show(job_id: JobId, *, hub: HubUrl, key: Key = None, key_file: KeyFile = None, json: Json = False) -> int:
    """Show a job with its steps.

    Example: atalaia job show 0190a000-0000-7000-8000-000000000000 --hub https://watch.example.org
    """
    job = _ask(hub, key, key_file, lambda calls: calls.get(f"/api/jobs/{quote(job_id, safe='')}"))
    if json:
        typer.echo(_json(job))
        return 0
    telling = Telling(is_json=False)
    telling.steps(job["steps"])
    telling.end(job)
    return 0


@app.command()
def cancel(job_id: JobId, *, hub: HubUrl, key: Key = None, key_file: KeyFile = None) -> int:
    """Cancel a job: one that waits at once, one that runs as soon as its worker hears of it.

    Example: atalaia job cancel 0190a000-0000-7000-8000-000000000000 --hub https://watch.example.org
    """
    return _change(job_id, "cancel", hub, key, key_file)


@app.command()
def retry(job_id: JobId, *, hub: HubUrl, key: Key = None, key_file: KeyFile = None) -> int:
    """Start an ended job again, as a new attempt.

    Example: atalaia job retry 0190a000-0000-7000-8000-000000000000 --hub https://watch.example.org
    """
    return _change(job_id, "retry", hub, key, key_file)


def _change(job_id: str, action: str, hub: str, key: str | None, key_file: Path | None) -> int:
    path = f"/api/jobs/{quote(job_id, safe='')}/{action}"
    said = _ask(hub, key, key_file, lambda calls: calls.post(path))
    typer.echo(f"{said['id']} is {said['status']}.")
    return 0


def _ask(hub: str, key: str | None, key_file: Path | None, call: Call) -> Any:
    async def ask() -> Any:
        calls = HubCalls(hub, read_key(key, key_file))
        try:
            return await call(calls)
        finally:
            await calls.aclose()

    return asyncio.run(ask())


def _read_payload(path: Path) -> bytes:
    """The bytes as they are. Raises: ConfigError: no file, no JSON."""
    try:
        raw = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
        msgspec.json.decode(raw)
    except OSError as error:
        raise ConfigError(f"can't read {path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from error
    return raw.strip()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
