"""The peers' rows of the table. A peer that isn't installed, or that breaks, is a row that says so."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any

from tests.servers import find_binary, free_port, is_listening, postgresql, running, wait_until

from benchmarks.figures import LOAD_CORE, Figure, percentile, skipped

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = ROOT / ".venv-peers" / "bin" / "python"
TIMEOUT_S = 150
# Seconds of work, by what was measured elsewhere: three runs, and half as much again for a faster machine.
AHEAD_S = 9
LATENCY_JOBS = 200


class PeerMissingError(Exception):
    """It can't be measured here; the message says why."""


@contextlib.contextmanager
def _postgresql() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="atalaia-pg-", ignore_cleanup_errors=True) as name:
        try:
            with postgresql(Path(name), is_durable=True) as url:
                yield url
        except FileNotFoundError as error:
            raise PeerMissingError("PostgreSQL is not installed") from error


@contextlib.contextmanager
def _sqlite() -> Iterator[str]:
    """A file on a real disk, as the hub's."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="atalaia-bench-", dir=folder) as name:
        yield str(Path(name) / "queue.db")


@contextlib.contextmanager
def _redis() -> Iterator[str]:
    binary = find_binary("redis-server")
    if binary is None:
        raise PeerMissingError("redis-server is not installed")
    with tempfile.TemporaryDirectory(prefix="atalaia-redis-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        with running(command, stdout=subprocess.DEVNULL):
            wait_until(lambda: is_listening(port), what="Redis")
            yield f"redis://127.0.0.1:{port}/0"


@dataclass(frozen=True, slots=True)
class Peer:
    """`known_per_s`: jobs per second as they were measured elsewhere."""

    name: str
    module: str
    known_per_s: int
    server: Callable[[], AbstractContextManager[str]]


PEERS = (
    Peer("Procrastinate on PostgreSQL", "procrastinate_postgresql", 550, _postgresql),
    Peer("DBOS on PostgreSQL", "dbos_postgresql", 2_559, _postgresql),
    Peer("Huey on SQLite", "huey_sqlite", 3_400, _sqlite),
    Peer("Celery with Redis", "celery_redis", 1_300, _redis),
)


def peers_rates() -> Sequence[Figure]:
    return [_rate(peer) for peer in PEERS]


def peers_latencies() -> Sequence[Figure]:
    return [_latency(peer) for peer in PEERS]


def _rate(peer: Peer) -> Figure:
    name, elsewhere = f"beside: {peer.name}", f"measured elsewhere: {peer.known_per_s:,}/s"
    try:
        found = measured(peer, "rate", peer.known_per_s * AHEAD_S)
    except PeerMissingError as missing:
        return skipped(name, "jobs/s", f"{missing}; {elsewhere}")
    return Figure(name, found["per_s"], "jobs/s", note=f"median of 3 runs; {found['note']}; {elsewhere}")


def _latency(peer: Peer) -> Figure:
    name = f"beside: {peer.name}, created to started: p50"
    try:
        found = measured(peer, "latency", LATENCY_JOBS)
    except PeerMissingError as missing:
        return skipped(name, "ms", str(missing))
    took_ms: list[float] = found["took_ms"]
    note = f"p99 {percentile(took_ms, 0.99):.3g} ms; {found['note']}"
    return Figure(name, percentile(took_ms, 0.5), "ms", note=note)


def measured(peer: Peer, what: str, count: int) -> dict[str, Any]:
    """What `benchmarks.peers.measure` says.

    Raises:
        PeerMissingError: it isn't installed, or it broke.
    """
    if not PYTHON.exists():
        raise PeerMissingError("not installed")
    with _on_load_core(), peer.server() as address:
        command = [str(PYTHON), "-m", "benchmarks.peers.measure", peer.module, what, str(count)]
        environment = {**os.environ, "ATALAIA_PEER_ADDRESS": address}
        # A session of its own: where it takes too long, its worker goes with it.
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=PIPE, stderr=PIPE, start_new_session=True)
        try:
            out, said = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise PeerMissingError(f"not done within {TIMEOUT_S} s") from error
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode != 0:
        raise PeerMissingError("broke: " + (said.decode().strip().splitlines() or ["said nothing"])[-1][:200])
    found: dict[str, Any] = json.loads(out)
    return found


@contextlib.contextmanager
def _on_load_core() -> Iterator[None]:
    """Whatever is started meanwhile stays off the worker's core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE} & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
