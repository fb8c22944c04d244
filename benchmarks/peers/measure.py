"""One peer's figures, as JSON: `python -m benchmarks.peers.measure MODULE rate|latency COUNT`, by the peers' interpreter.

A peer's module gives `prepare()`, `fill(count)`, `left() -> int` (made and not yet done), `make(job)`, `work()` and `NOTE`:
how it was set. `work` is the worker's process.
"""

import contextlib
import itertools
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any

from benchmarks.figures import SERVER_CORE

RUNS = 3
RUN_S = 2
WARM_SHARE = 0.05
BULK = 500
FILL_S = 40
WARM_UP = 20
PATIENCE_S = 60
TOLD_PORT = "ATALAIA_PEER_TOLD_PORT"


def tell_start(job: int) -> None:
    """What a job of the latency does: says when it started, by the clock that all processes share."""
    started = time.perf_counter()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(json.dumps([job, started]).encode(), ("127.0.0.1", int(os.environ[TOLD_PORT])))


def rate(peer: Any, count: int) -> dict[str, Any]:
    """Jobs done per second, from a queue that is filled before."""
    filled = fill(peer, count)
    with _worker(peer):
        _wait_until(lambda: peer.left() <= filled * (1 - WARM_SHARE), what="the worker's first jobs")
        seen = [(time.perf_counter(), peer.left())]
        for _ in range(RUNS):
            time.sleep(RUN_S)
            seen.append((time.perf_counter(), peer.left()))
    return {"per_s": statistics.median(rates(seen))}


def fill(peer: Any, count: int, *, clock: Callable[[], float] = time.monotonic) -> int:
    """How many it has become: fewer than `count` where they are made slowly, since they are done slowly there too."""
    until, filled = clock() + FILL_S, 0
    while filled < count and clock() < until:
        peer.fill(BULK)
        filled += BULK
    return filled


def rates(seen: Sequence[tuple[float, int]]) -> list[float]:
    """Jobs per second between one look and the next; a stretch in which the queue ran dry doesn't count."""
    found = [(before - after) / (at - since) for (since, before), (at, after) in itertools.pairwise(seen) if after > 0]
    if not found:
        raise ValueError("the queue ran dry before it was measured")
    return found


def latency(peer: Any, count: int) -> dict[str, Any]:
    """Milliseconds from before a job is made until it starts, one at a time, nobody else there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as told:
        told.bind(("127.0.0.1", 0))
        told.settimeout(PATIENCE_S)
        os.environ[TOLD_PORT] = str(told.getsockname()[1])
        took_ms = []
        with _worker(peer):
            for job in range(count + WARM_UP):
                _wait_until(lambda: peer.left() == 0, what="the end of the job before")
                # Idle, and not in step with one who asks every so often.
                time.sleep(random.uniform(0.02, 0.04))
                began = time.perf_counter()
                peer.make(job)
                which, started = json.loads(told.recv(100))
                if which != job:
                    raise ValueError(f"job {which} started in the place of {job}")
                took_ms.append((started - began) * 1000)
    return {"took_ms": took_ms[WARM_UP:]}


@contextlib.contextmanager
def _worker(peer: Any) -> Iterator[None]:
    module = peer.__name__.rpartition(".")[2]
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "benchmarks.peers.measure", module, "work"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _wait_until(condition: Any, *, what: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"{what}: not within {PATIENCE_S} s")
        time.sleep(0.02)


def main(module: str, what: str, count: int = 0) -> None:
    peer = import_module(f"benchmarks.peers.{module}")
    if what == "work":
        peer.work()
        return
    peer.prepare()
    found = rate(peer, count) if what == "rate" else latency(peer, count)
    print(json.dumps({**found, "note": peer.NOTE}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
