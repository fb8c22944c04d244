"""Huey on SQLite: 16 threads, the database as Huey sets it up. A job leaves the queue before it runs, so a crash loses it."""

import os

from huey import SqliteHuey
from huey.consumer import Consumer

from benchmarks.peers.measure import tell_start

LOOK_S = 0.01
queue = SqliteHuey("bench", filename=os.environ["ATALAIA_PEER_ADDRESS"], results=False)
(_mode,), (_level,) = (queue.storage.sql(f"PRAGMA {name}", results=True)[0] for name in ("journal_mode", "synchronous"))
NOTE = f"16 threads, a look at the queue each 10 ms; {_mode.upper()}, synchronous={('OFF', 'NORMAL', 'FULL')[_level]}"
NOTE += " as shipped; a crash loses the jobs that run"


def _noop() -> None:
    pass


noop, start = queue.task(name="noop")(_noop), queue.task(name="start")(tell_start)


def prepare() -> None:
    """Nothing: the tables are there since the queue was opened."""


def fill(count: int) -> None:
    for _ in range(count):
        noop()


def left() -> int:
    return int(queue.storage.queue_size())


def make(job: int) -> None:
    start(job)


def work() -> None:
    Consumer(queue, workers=16, periodic=False, initial_delay=LOOK_S, max_delay=LOOK_S).run()
