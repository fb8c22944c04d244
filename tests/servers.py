"""Real servers for tests: private ones, on free ports, as an unprivileged user, gone with the test run."""

import contextlib
import itertools
import os
import pwd
import random
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import psycopg

from tests.stopwatch import Stopwatch

START_TIMEOUT_S = 60
END_TIMEOUT_S = 30  # what a process says or keeps at its end is lost where it is killed
# Below those that the system gives to connections and to whoever asks for any (Linux: from 32768).
BLOCK = 200
BLOCKS = range(10_000, 32_000, BLOCK)


def free_port() -> int:
    """A port that nothing takes before its owner does: no other test process is given it, nor does the system give it.

    A port that the system chose would be free to be chosen again, by any connection, until somebody listens: that made
    a test fail now and then, since a hub is started, stopped and started again on the port that it was given.
    """
    for _ in range(BLOCK):
        port = next(_own_ports())
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as those who will listen do
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free")


@cache
def _own_ports() -> Iterator[int]:
    """Of a block that is this process's while it lives, round and round: one that was given rests for long."""
    for first in random.SystemRandom().sample(BLOCKS, len(BLOCKS)):
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", first))  # without listening: nobody else can, and a block has one owner
        except OSError:
            holder.close()
        else:
            _holders.append(holder)
            return itertools.cycle(range(first + 1, first + BLOCK))
    raise RuntimeError("no block of ports is free")


_holders: list[socket.socket] = []


def is_listening(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], bool], *, what: str, timeout_s: float = START_TIMEOUT_S) -> None:
    """Ask until it is so; fails naming `what` after `timeout_s`, and what the machine was late by meanwhile."""
    watch = Stopwatch()
    while not condition():
        if watch.took_s > timeout_s + watch.late_s:
            raise TimeoutError(f"{what}: not within {watch.took_s:.0f} s, of which {watch.late_s:.0f} s were others'")
        time.sleep(0.02)


def find_binary(name: str, *patterns: str) -> str | None:
    """A program on the PATH, or where Debian puts it (globs)."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    return found or next(
        (str(path) for pattern in patterns for path in sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)), None
    )


def unprivileged() -> dict[str, int | list[int]]:
    """Arguments of Popen that make a child run as nobody where we are root: servers refuse to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def give_to_unprivileged(directory: Path) -> None:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(directory, nobody.pw_uid, nobody.pw_gid)


@contextlib.contextmanager
def running(command: Sequence[str], **options: object) -> Iterator["subprocess.Popen[bytes]"]:
    """A process for as long as the block lasts."""
    process = subprocess.Popen(command, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def postgresql_binary(name: str) -> str | None:
    return find_binary(f"_{name}", f"/usr/lib/postgresql/*/bin/{name}") or shutil.which(name)


@contextlib.contextmanager
def postgresql(directory: Path, *, is_durable: bool = False) -> Iterator[str]:
    """A PostgreSQL cluster; gives the address of its `postgres` database. `directory` must be reachable for nobody."""
    initdb, server = postgresql_binary("initdb"), postgresql_binary("postgres")
    if initdb is None or server is None:
        raise FileNotFoundError("postgresql")
    give_to_unprivileged(directory)
    data, port = directory / "data", free_port()
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/", **unprivileged()}
    subprocess.run(
        [initdb, "-D", str(data), "-U", "atalaia", "-A", "trust", "-E", "UTF8", "--no-sync"], check=True, **options
    )  # type: ignore[call-overload]
    url = f"postgresql://atalaia@127.0.0.1:{port}/postgres"
    flags = ["-p", str(port), "-k", str(directory), "-h", "127.0.0.1", "-c", "max_connections=200"]
    flags += [] if is_durable else ["-c", "fsync=off"]
    with running([server, "-D", str(data), *flags], **options):
        wait_until(lambda: _answers(url), what="PostgreSQL")
        yield url


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
