"""`atalaia worker`: run jobs on this machine. Loads nothing of the hub."""

import asyncio
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from atalaia.cli.hubs import HubUrl, Key, KeyFile, read_key
from atalaia.core.logging import configure_logging
from atalaia.worker.known import find_known
from atalaia.worker.options import DRAIN_S, TTL_S, WorkerOptions
from atalaia.worker.worker import Worker

app = typer.Typer()


@app.command()
def worker(
    *,
    hub: HubUrl,
    key: Key = None,
    key_file: KeyFile = None,
    types: Annotated[
        list[str] | None, typer.Option("--types", help="Job types to run, separated by commas; all by default.")
    ] = None,
    concurrency: Annotated[int, typer.Option(help="How many jobs at once.", min=1, max=1000)] = 4,
    name: Annotated[
        str | None, typer.Option(help="What the hub calls this worker; the machine's name by default.")
    ] = None,
    ttl_s: Annotated[
        float, typer.Option(help="Seconds that a lease lives without a renewal.", min=1, max=3600)
    ] = TTL_S,
    drain_s: Annotated[
        float, typer.Option(help="Seconds that running jobs get at SIGTERM, before they are handed back.", min=0)
    ] = DRAIN_S,
    health_file: Annotated[
        Path | None, typer.Option(help="A file to touch whenever the hub has answered; for health checks.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
) -> int:
    """Run jobs until it is told to stop. The key needs the scope jobs:work.

    Exit status: 0 drained, 1 can't start, 3 this version is older than the hub's minimum, 4 the hub refuses the key.

    Example: atalaia worker --hub https://watch.example.org --key-file /etc/atalaia/worker.key --concurrency 8
    """
    configure_logging(level=log_level)
    wanted = [part.strip() for each in types or () for part in each.split(",") if part.strip()]
    known = find_known(wanted)
    options = WorkerOptions(
        hub=hub,
        key=read_key(key, key_file).reveal(),
        name=name or socket.gethostname(),
        types=wanted,
        concurrency=concurrency,
        ttl_s=ttl_s,
        drain_s=drain_s,
        health_file=health_file,
    )
    running = Worker(options, known.types, upstreams=known.upstreams)
    status = asyncio.run(running.run())
    if status and running.reason:
        sys.stderr.write(f"atalaia worker: {running.reason}\n")
    return int(status)
