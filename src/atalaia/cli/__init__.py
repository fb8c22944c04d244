"""The command line: one module a command, loaded only when that command is called."""

import functools
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer

from atalaia.core.errors import AtalaiaError

# Command -> its help. Each is a module here with an `app`, except the agent's, which __main__ runs alone.
COMMANDS: Final = {
    "serve": "Run the hub.",
    "agent": "Run an agent on this machine.",
    "job": "Start, see, cancel and retry jobs; run one by hand.",
    "signal": "Make, change and drop signals and their schedules; send one.",
    "worker": "Run jobs on this machine, for a hub elsewhere.",
    "demo": "Look around: a hub with agents and a site that breaks and heals.",
    "simulate": "Run a simulated third party, with its faults.",
    "user": "Make and manage people's accounts.",
    "key": "Make and manage API keys.",
    "capture": "Import what an upstream's own page sends, compare captures, see frame templates.",
    "snapshot": "Write down what runs where: versions, health, tokens' states, workers, log lines.",
    "backup": "Write a verified backup.",
    "restore": "Bring a backup back.",
    "store": "Move the data to PostgreSQL.",
    "migrate": "Bring the database to this version, or tell whether it is.",
    "doctor": "Check settings, keys, disk, ports and database, and say what to do.",
}
AGENT: Final = "agent"
EXIT_ERROR: Final = 1
_COMPLETING = "_ATALAIA_COMPLETE"


def build(commands: Sequence[str] = tuple(COMMANDS)) -> typer.Typer:
    """The command with these parts; help and shell completion need all of them."""
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Atalaia: watches integrations, tells the right person, acts, and helps to recover.",
    )
    app.callback()(_main)
    for name in commands:
        if name == AGENT:
            app.command(AGENT, help=COMMANDS[AGENT])(_agent)
            continue
        part: typer.Typer = import_module(f"atalaia.cli.{name}").app
        if len(part.registered_commands) == 1 and part.registered_callback is None:
            app.command(name, short_help=COMMANDS[name])(_callback_of(part))
        else:
            app.add_typer(part, name=name, help=COMMANDS[name])
    return app


def run(arguments: Sequence[str]) -> int:
    """Run a command; its exit status. An expected error is a line on stderr with what to do, and status 1."""
    first = arguments[0] if arguments else ""
    wanted = (first,) if first in COMMANDS and _COMPLETING not in os.environ else tuple(COMMANDS)
    try:
        _load(wanted)(list(arguments), prog_name="atalaia")
    except AtalaiaError as error:
        sys.stderr.write(f"atalaia: {error}\n")
        if error.hint:
            sys.stderr.write(f"  {error.hint}\n")
        return EXIT_ERROR
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _load(wanted: Sequence[str]) -> typer.Typer:
    """What is loaded stays: the garbage collector, which would look at it again and again, is told so (a fifth of the time)."""
    gc.disable()
    try:
        return build(wanted)
    finally:
        gc.freeze()
        gc.enable()


def _callback_of(part: typer.Typer) -> Callable[..., Any]:
    callback = part.registered_commands[0].callback
    if callback is None:
        raise TypeError("a command without a function")

    @functools.wraps(callback)
    def call(*args: Any, **options: Any) -> None:
        raise typer.Exit(int(callback(*args, **options) or 0))  # what a command returns is its exit status

    return call


def _show_version(wanted: bool) -> None:
    if wanted:
        from atalaia.version import COMMIT, VERSION  # asks git, so only when it is wanted

        typer.echo(f"atalaia {VERSION}" + (f" ({COMMIT})" if COMMIT else ""))
        raise typer.Exit


def _main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    return


def _agent() -> None:
    """Stand for the agent's command in the help; __main__ runs it before anything of the hub is loaded."""
