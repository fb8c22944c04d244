"""Procrastinate on PostgreSQL: one worker, 16 asynchronous jobs at a time, told of new ones by the database."""

import os

import psycopg
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

from benchmarks.peers.measure import tell_start

ADDRESS = os.environ["ATALAIA_PEER_ADDRESS"]
NOTE = "16 asynchronous jobs at a time; fsync on"


async def _noop() -> None:
    pass


async def _start(job: int) -> None:
    tell_start(job)


app = App(connector=SyncPsycopgConnector(conninfo=ADDRESS))
noop, start = app.task(_noop, name="noop"), app.task(_start, name="start")


def prepare() -> None:
    app.open()
    app.schema_manager.apply_schema()


def fill(count: int) -> None:
    noop.batch_defer(*({} for _ in range(count)))


def left() -> int:
    with psycopg.connect(ADDRESS) as connection:
        row = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')").fetchone()
    assert row is not None
    return int(row[0])


def make(job: int) -> None:
    start.defer(job=job)


def work() -> None:
    connector = PsycopgConnector(conninfo=ADDRESS, min_size=4, max_size=17)
    app.with_connector(connector).run_worker(concurrency=16)
