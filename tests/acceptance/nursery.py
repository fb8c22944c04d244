"""Processes of the product that start from one which has loaded everything already: loading is two thirds of a start.

One nursery a test process: each hub, worker, simulator or command is a process of its own, forked, with its own files,
environment and directory, and is killed and ends as any other. What is not shown by these, that a command loads all by
itself, those with `is_cold` show. The tests' side is `Child`, which does what they need of a Popen.

A fork is watched by one between it and the nursery, so that its end is known at once and no zombie seems alive, and so
that it ends when the tests do, however they end: what is left behind would be in the way of whatever runs next.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_ROOT = Path(__file__).resolve().parent.parent.parent
_LOADED = (
    "atalaia_simulators.traffilog",
    "alembic.config",
    "alembic.runtime.environment",
    "alembic.script",
    "babel.messages.pofile",
)
_LONGEST = 1 << 20
_WAIT_S = 300  # a machine that does much else; nothing waits for so long that goes well


class Files(NamedTuple):
    """What it reads and where it writes, each to the end of a file."""

    stdout: Path
    stderr: Path
    stdin: Path = Path(os.devnull)


class Child:
    """A process that a nursery made: `pid`, and its end. It ends with who made it."""

    def __init__(self, command: Sequence[str], *, files: Files, env: Mapping[str, str], cwd: Path) -> None:
        self.returncode: int | None = None
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(_WAIT_S)
        self._line.connect(_nursery())
        names = {name: str(path) for name, path in files._asdict().items()}
        wanted = {"arguments": list(command[1:]), "files": names, "env": dict(env), "cwd": str(cwd)}
        self._line.send(json.dumps(wanted).encode())
        self.pid = int(self._line.recv(64))

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"hub {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout_s: float | None) -> int | None:
        if self.returncode is None and select.select([self._line], [], [], timeout_s)[0]:
            self.returncode = int(self._line.recv(64))
            self._line.close()
        return self.returncode


@cache
def _nursery() -> str:
    """Where the nursery of this process listens; an address without a file, that ends with it."""
    address = f"\0atalaia-nursery-{os.getpid()}-{time.monotonic_ns()}"
    command = [sys.executable, "-m", "tests.acceptance.nursery", address[1:]]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ATALAIA_")}
    kept["PYTHONUNBUFFERED"] = "1"
    process = subprocess.Popen(command, cwd=_ROOT, env=kept, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    atexit.register(_dismiss, process)
    return address


def _dismiss(process: "subprocess.Popen[bytes]") -> None:
    """The end of its input tells it that the tests are over, however they ended: those whom it made may live until then.

    Reading what it says to its end would wait for them, and they end with this process.
    """
    for end in (process.stdin, process.stdout):
        if end is not None:
            end.close()
    process.wait()


def _serve(address: str) -> dict[str, Any]:
    """In the nursery; comes back in each child, with what it is to be."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"\0{address}")
    listener.listen(16)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those who watch are nobody's to wait for
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.write(1, b"ready\n")
    while True:
        ready, _, _ = select.select([listener.fileno(), 0], [], [])
        if 0 in ready:
            os._exit(0)
        line, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            return _watched(line)
        line.close()


def _watched(line: socket.socket) -> dict[str, Any]:
    """Comes back in the child alone: who watches it says its number, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted: dict[str, Any] = json.loads(line.recv(_LONGEST))
    pid = os.fork()
    if pid == 0:
        line.close()
        return wanted
    with contextlib.suppress(OSError):  # the tests may be over
        line.send(str(pid).encode())
    if line.fileno() in select.select([line.fileno(), os.pidfd_open(pid)], [], [])[0]:
        with contextlib.suppress(ProcessLookupError):  # nobody asks for it any more
            os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError):
        line.send(str(code).encode())
    os._exit(0)


def _become(wanted: Mapping[str, Any]) -> int:
    """Everything that a new process would have of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    files, to_write = wanted["files"], os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for number, (name, mode) in enumerate((("stdin", os.O_RDONLY), ("stdout", to_write), ("stderr", to_write))):
        opened = os.open(files[name], mode, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(wanted["env"])
    for path in reversed(wanted["env"].get("PYTHONPATH", "").split(os.pathsep)):
        if path and path not in sys.path:
            sys.path.insert(1, path)
    os.chdir(wanted["cwd"])
    random.seed()
    sys.argv = ["atalaia", *wanted["arguments"]]
    from atalaia.__main__ import main

    return main()


def _load() -> None:
    from atalaia.cli import COMMANDS, build

    build(tuple(COMMANDS))
    for name in _LOADED:
        importlib.import_module(name)
    from atalaia.core.translations import Translations

    Translations.load()
    integrations = importlib.import_module("atalaia.integrations")
    for module in pkgutil.iter_modules(integrations.__path__):
        importlib.import_module(f"{integrations.__name__}.{module.name}")
    assert threading.active_count() == 1  # a thread does not live on in a fork
    gc.freeze()


if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    _load()
    sys.exit(_become(_serve(sys.argv[1])))
