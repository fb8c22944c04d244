"""How jobs go, for /metrics and /health: counted as they end, the queue looked at now and then."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from atalaia.core.clock import Clock, to_ms
from atalaia.jobs.model.states import HELD, READY
from atalaia.jobs.queries import reading as queries
from atalaia.jobs.queries.reading import QueueCount
from atalaia.jobs.service.lanes import Lanes
from atalaia.store.store import Store

LATE_S = 600.0
REST_TIMES = 50  # of what a look took: a long queue is looked at less often
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Depth(NamedTuple):
    """Of a type in a queue. `oldest_s`: how long the oldest due one waits, 0 where none does."""

    type: str
    queue: str
    waiting: int
    leased: int
    oldest_s: float


class Counting(Collector):
    """Made once; counts come from the writer's thread."""

    def __init__(self, store: Store, lanes: Lanes, *, clock: Clock) -> None:
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._depths: list[Depth] = []
        self._not_before_s = 0.0
        self._leases = [0] * (
            len(_BUCKETS) + 1
        )  # by how long they took; the client library's histogram takes 5 µs a time
        self._leases_s = 0.0

    def count(self, outcomes: Mapping[tuple[str, str], int]) -> None:
        with self._lock:
            self._outcomes.update(outcomes)

    def timed(self, seconds: float) -> None:
        """On the event loop alone."""
        self._leases[bisect_left(_BUCKETS, seconds)] += 1
        self._leases_s += seconds

    @property
    def depths(self) -> list[Depth]:
        return self._depths

    def is_served(self) -> bool:
        """Whether no due job waits for more than 10 minutes."""
        return all(depth.oldest_s <= LATE_S for depth in self._depths)

    async def look(self) -> None:
        """A loop calls it."""
        began_s = self._clock.monotonic()
        if began_s < self._not_before_s:
            return
        rows = await self._store.read(queries.counts)
        self._not_before_s = began_s + REST_TIMES * (self._clock.monotonic() - began_s)
        now_ms = to_ms(self._clock.now())
        await self._store.read(self._lanes.refresh)
        by_lane: dict[int, list[QueueCount]] = {}
        for row in rows:
            by_lane.setdefault(row.lane, []).append(row)
        self._depths = [self._depth(lane, some, now_ms) for lane, some in by_lane.items()]

    def _depth(self, lane_id: int, rows: list[QueueCount], now_ms: int) -> Depth:
        lane = self._lanes.find(lane_id)
        oldest = [row.oldest_due_ms for row in rows if row.place == READY]
        return Depth(
            lane.type,
            lane.queue,
            sum(row.jobs for row in rows if row.place != HELD),
            sum(row.jobs for row in rows if row.place == HELD),
            max(0.0, (now_ms - min(oldest)) / 1000) if oldest else 0.0,
        )

    def collect(self) -> Iterable[Metric]:
        outcomes = CounterMetricFamily(
            "atalaia_jobs", "Jobs by type and what became of them.", labels=["type", "outcome"]
        )
        with self._lock:
            counted = list(self._outcomes.items())
        for (type_, outcome), count in sorted(counted):
            outcomes.add_metric([type_, outcome], count)
        yield outcomes
        waiting = GaugeMetricFamily("atalaia_jobs_waiting", "Jobs that wait.", labels=["type", "queue"])
        leased = GaugeMetricFamily("atalaia_jobs_leased", "Jobs that workers hold.", labels=["type", "queue"])
        oldest = GaugeMetricFamily(
            "atalaia_jobs_oldest_waiting_seconds", "How long the oldest due job waits.", labels=["type", "queue"]
        )
        for depth in merged(self._depths):
            labels = [depth.type, depth.queue]
            waiting.add_metric(labels, depth.waiting)
            leased.add_metric(labels, depth.leased)
            oldest.add_metric(labels, depth.oldest_s)
        yield waiting
        yield leased
        yield oldest
        names = [*map(str, _BUCKETS), "+Inf"]
        yield HistogramMetricFamily(
            "atalaia_job_lease_seconds",
            "From a request that could be served to its leases being durable.",
            buckets=list(zip(names, accumulate(self._leases), strict=True)),
            sum_value=self._leases_s,
        )


def merged(depths: Iterable[Depth]) -> list[Depth]:
    """One for each type and queue: what runs and what is to be resolved together."""
    found: dict[tuple[str, str], Depth] = {}
    for each in depths:
        other = found.get((each.type, each.queue))
        found[each.type, each.queue] = (
            each
            if other is None
            else Depth(
                each.type,
                each.queue,
                each.waiting + other.waiting,
                each.leased + other.leased,
                max(each.oldest_s, other.oldest_s),
            )
        )
    return sorted(found.values())
