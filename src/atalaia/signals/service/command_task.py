"""The task `command`: a command line that the settings allow, without a shell, in a process group of its own.

It is given none of the hub's environment, which holds secrets, and is on a leash: it ends with the hub, however the hub ends.
"""

import asyncio
import contextlib
import os
import signal as signals
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from atalaia.core.errors import ConfigError, InvalidField
from atalaia.core.settings import Settings
from atalaia.core.translations import N_
from atalaia.signals.model.runs import Ending, Outcome
from atalaia.signals.model.signals import COMMAND, Options, read_options
from atalaia.signals.service.tasks import OwnRun, Started, Task

TIMEOUT_S: Final = 60.0
KEPT_BYTES: Final = 16_384  # of its output, the last ones
GRACE_S: Final = 3.0
_LEASH: Final = str(Path(__file__).with_name("leash.py"))
_PIECE: Final = 65_536
_SETTING: Final = "signals.commands"
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "TZ", "USER")
_NOT_STARTED: Final = "it could not be started: {why}"
DONE: Final = N_("{command} ended well")


class CommandLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`folder`: where it runs; the hub's own unless said."""

    run: list[str]
    timeout_s: float = TIMEOUT_S
    folder: str | None = None


def read_commands(settings: Settings) -> Mapping[str, CommandLine]:
    """Raises: ConfigError: one of the setting's can't be run."""
    found = {}
    for name, said in settings.get(_SETTING).items():
        table: Any = {"run": said} if isinstance(said, list) else said
        try:
            found[name] = msgspec.convert(table, CommandLine)
        except msgspec.ValidationError as error:
            raise ConfigError(
                f"{_SETTING}.{name}: {error}", hint=f'Write {name} = ["/path/to/program", "argument"].'
            ) from error
        if not found[name].run or found[name].timeout_s <= 0:
            raise ConfigError(f"{_SETTING}.{name}: needs a program, and a time limit above 0")
    return found


def command_task(settings: Settings) -> Task:
    """Raises: ConfigError."""
    allowed = read_commands(settings)

    def check(options: Options) -> None:
        check_command(allowed, options)

    async def run(own: OwnRun) -> Ending:
        name = read_options(own.started.options).command or ""
        line = allowed.get(name)
        if line is None:
            return Ending(Outcome.FAILED, error=f"{_SETTING} allows no command {name}")
        return await run_command(name, line, own.started)

    return Task(name=COMMAND, title=N_("Run a command"), run=run, check=check)


def check_command(allowed: Mapping[str, CommandLine], options: Options) -> None:
    """Raises: InvalidField."""
    if options.command is None:
        raise InvalidField("command", N_("the task command needs the name of a command"))
    if options.command not in allowed:
        raise InvalidField(
            "command",
            N_("the settings allow no command of this name"),
            hint=N_("Commands are named in atalaia.toml, in [signals.commands]."),
        )


async def run_command(name: str, line: CommandLine, started: Started) -> Ending:
    try:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", _LEASH),
            *line.run,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=line.folder,
            env=_environment(started),
            start_new_session=True,
        )
    except OSError as error:
        return Ending(Outcome.FAILED, error=_NOT_STARTED.format(why=error.strerror))
    kept = bytearray()
    try:
        async with asyncio.timeout(line.timeout_s):
            await _read(process, kept)
            why = await _words(process)
            status = await process.wait()
    except TimeoutError:
        await _end(process)
        return Ending(Outcome.FAILED, error=f"it took more than {line.timeout_s:g} s", output=_text(kept))
    except asyncio.CancelledError:
        await _end(process)
        raise
    if why:
        return Ending(Outcome.FAILED, error=_NOT_STARTED.format(why=why))
    if status == 0:
        return Ending(Outcome.SUCCEEDED, DONE, {"command": name}, output=_text(kept))
    return Ending(Outcome.FAILED, error=f"exit status {status}", output=_text(kept))


async def _read(process: asyncio.subprocess.Process, kept: bytearray) -> None:
    if process.stdout is None:
        return
    while piece := await process.stdout.read(_PIECE):
        kept += piece
        del kept[:-KEPT_BYTES]


async def _words(process: asyncio.subprocess.Process) -> str:
    """Why the leash could not start it; empty where it did."""
    return (await process.stderr.read()).decode(errors="replace").strip() if process.stderr else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """The whole group: first asked, then made to."""
    for number in (signals.SIGTERM, signals.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await process.wait()


def _environment(started: Started) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    own = {"ATALAIA_SIGNAL": started.signal, "ATALAIA_RUN": started.run_id, "ATALAIA_FENCE": str(started.fence)}
    return passed_on | own


def _text(kept: bytearray) -> str:
    return kept.decode(errors="replace").replace("\0", "").strip()
