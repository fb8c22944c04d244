"""A hub and agents as children of one command: started in order, ended in order, at Ctrl-C too."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

from atalaia.core.errors import ConfigError

READY = "Atalaia is listening on "
STOP_TIMEOUT_S = 12.0
INTERRUPTED = 130  # as shells say it
_LAST_LINES = 6
_ATALAIA = (sys.executable, "-m", "atalaia")
_POLL_S = 0.2


class Children:
    """Processes that end with the block, the last started first."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []
        self._stop = threading.Event()

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._asked_to_stop)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for child in reversed(self._running):
            _end(child)

    def start_hub(
        self, data_dir: Path, *, port: int, env: Mapping[str, str], log: IO[str] | None, tell: Callable[[str], None]
    ) -> str:
        """Start it and wait until it is ready; its address. Every line that it says goes to `tell`.

        Raises:
            ConfigError: it ended instead; the hint is what it said last.
            SystemExit: somebody asked to stop meanwhile.
        """
        command = [*_ATALAIA, "serve", "--data-dir", str(data_dir), "--port", str(port)]
        child = self._start(command, env=env, stdout=subprocess.PIPE, stderr=log)
        said = _Lines(child, tell)
        while not said.ready.wait(_POLL_S):
            if self._stop.is_set():
                raise SystemExit(INTERRUPTED)
            if child.poll() is not None:
                raise ConfigError("the hub did not start", code="hub_did_not_start", hint=_last_words(log))
        return said.address

    def start_agent(self, *options: str, env: Mapping[str, str], log: IO[str] | None) -> None:
        self._start([*_ATALAIA, "agent", *options], env=env, stdout=log, stderr=log)

    def start_simulator(self, name: str, *options: str, log: IO[str] | None, port: int | None = None) -> None:
        """`port`: of one that listens."""
        where = [] if port is None else ["--port", str(port)]
        self._start([*_ATALAIA, "simulate", name, *where, *options], env={}, stdout=log, stderr=log)

    def start_worker(self, *options: str, env: Mapping[str, str], log: IO[str] | None) -> None:
        self._start([*_ATALAIA, "worker", *options], env=env, stdout=log, stderr=log)

    def wait(self, *, also: Callable[[], None] | None = None) -> int:
        """Until Ctrl-C, or until a child ends by itself; calls `also` now and then. The exit status."""
        while not self._stop.wait(_POLL_S):
            if self._running[0].poll() is not None:
                return self._running[0].returncode or 1
            if also is not None:
                also()
        return 0

    def _start(
        self, command: Sequence[str], *, env: Mapping[str, str], stdout: int | IO[str] | None, stderr: IO[str] | None
    ) -> "subprocess.Popen[str]":
        # A session of their own: Ctrl-C reaches this process alone, which ends them in order.
        child = subprocess.Popen(
            command,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )
        self._running.append(child)
        return child

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop.set()


class _Lines:
    """Reads a hub's lines as they come."""

    def __init__(self, child: "subprocess.Popen[str]", tell: Callable[[str], None]) -> None:
        self.ready = threading.Event()
        self.address = ""
        self._child = child
        self._tell = tell
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._child.stdout or ():
            self._tell(line.rstrip("\n"))
            if line.startswith(READY):
                self.address = line.removeprefix(READY).strip()
                self.ready.set()


def _last_words(log: IO[str] | None) -> str:
    """What stands in a log that is kept elsewhere, and goes with it."""
    if log is None:
        return "It says above why."
    lines = Path(log.name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "It said last:\n" + "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])


def make_key(data_dir: Path, name: str, *scopes: str) -> str:
    """An API key of the hub on this directory."""
    options = [part for scope in scopes for part in ("--scope", scope)]
    return str(json.loads(_ask(data_dir, "key", "create", name, *options, "--json"))["key"])


def make_person(data_dir: Path, email: str, *, role: str, password: str) -> str:
    """The account's id."""
    said = _ask(data_dir, "user", "create", email, "--role", role, "--password-stdin", "--json", stdin=password + "\n")
    return str(json.loads(said)["id"])


def _ask(data_dir: Path, *arguments: str, stdin: str = "") -> str:
    env = {**os.environ, "ATALAIA_DATA_DIR": str(data_dir)}
    done = subprocess.run([*_ATALAIA, *arguments], input=stdin, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(f"{' '.join(arguments[:2])} failed: {done.stderr.strip()}")
    return done.stdout


def _end(child: "subprocess.Popen[str]") -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout is not None:
        child.stdout.close()
