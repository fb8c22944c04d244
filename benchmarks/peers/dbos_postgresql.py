"""DBOS on PostgreSQL: workflows without steps, claimed as many at a time as there are, and 16 threads to run them."""

import functools
import os
import threading

import psycopg
import sqlalchemy
from dbos import DBOS, DBOSClient

from benchmarks.peers.measure import tell_start

ADDRESS = os.environ["ATALAIA_PEER_ADDRESS"]
NOTE = (
    "16 threads, a look at the queue each 10 ms, all of it claimed at once before the time that is measured; fsync on"
)


def _noop() -> None:
    pass


def prepare() -> None:
    _launch()
    DBOS.destroy()


def fill(count: int) -> None:
    engine = sqlalchemy.create_engine(ADDRESS.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as transaction:
        for _ in range(count):
            _client().enqueue_in_transaction(transaction, {"workflow_name": "noop", "queue_name": "bench"})
    engine.dispose()


def left() -> int:
    question = "SELECT count(*) FROM dbos.workflow_status WHERE status IN ('ENQUEUED', 'PENDING')"
    with psycopg.connect(ADDRESS) as connection:
        row = connection.execute(question).fetchone()
    assert row is not None
    return int(row[0])


def make(job: int) -> None:
    _client().enqueue({"workflow_name": "start", "queue_name": "bench"}, job)


def work() -> None:
    _launch()
    threading.Event().wait()


@functools.cache
def _client() -> DBOSClient:
    return DBOSClient(system_database_url=ADDRESS)


def _launch() -> None:
    DBOS(
        config={
            "name": "bench",
            "system_database_url": ADDRESS,
            "max_executor_threads": 16,
            "sys_db_pool_size": 20,
            "log_level": "WARNING",
            "run_admin_server": False,
        }
    )
    DBOS.workflow(name="noop")(_noop)
    DBOS.workflow(name="start")(tell_start)
    DBOS.launch()
    DBOS.register_queue("bench", polling_interval_sec=0.01)
