"""Celery with Redis, which is not durable as shipped: 16 threads, which on one core do twice as much as 16 processes."""

import os

import redis
from celery import Celery

from benchmarks.peers.measure import tell_start

ADDRESS = os.environ["ATALAIA_PEER_ADDRESS"]
NOTE = "16 threads, 64 jobs fetched ahead for each; not durable, a crash loses the jobs that run"
QUIET = ("--loglevel=ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat")

app = Celery("bench", broker=ADDRESS)
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=64, broker_connection_retry_on_startup=True)
broker = redis.Redis.from_url(ADDRESS)


def _noop() -> None:
    pass


noop, start = app.task(_noop, name="noop"), app.task(tell_start, name="start")


def prepare() -> None:
    """Nothing: a queue is there with its first job."""


def fill(count: int) -> None:
    with app.producer_pool.acquire(block=True) as producer:
        for _ in range(count):
            noop.apply_async(producer=producer)


def left() -> int:
    return int(broker.llen("celery")) + int(broker.hlen("unacked"))


def make(job: int) -> None:
    start.delay(job)


def work() -> None:
    app.worker_main(["worker", "--pool=threads", "--concurrency=16", *QUIET])
