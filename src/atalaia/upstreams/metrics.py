"""What /metrics says of upstreams. Names and labels are documented in docs/guides/upstreams.md."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from atalaia.sdk.upstreams import CallRecord
from atalaia.upstreams.model.registered import Key

_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
MAX_OPERATIONS = 200
OTHER = "other"
# 0 lets all through, 1 nothing; in between is the one trial, due or under way.
BREAKER_VALUES = {"closed": 0.0, "half_open": 0.5, "trial": 0.5, "open": 1.0}


class UpstreamMetrics(Collector):
    """Counts of this hub: its own calls, and those that workers report to it."""

    def __init__(self) -> None:
        self._calls = Counter(
            "atalaia_upstream_calls",
            "Calls to third parties, by how they ended; refused ones never went out.",
            ("upstream", "operation", "outcome"),
            registry=None,
        )
        self._seconds = Histogram(
            "atalaia_upstream_call_duration_seconds",
            "How long calls to third parties took.",
            ("upstream", "operation"),
            registry=None,
            buckets=_BUCKETS_S,
        )
        self._operations: set[tuple[str, str]] = set()
        self.breakers: Callable[[], Mapping[Key, str]] = dict
        self.expiries: Callable[[], Mapping[Key, datetime]] = dict
        self.now: Callable[[], datetime] | None = None

    def count(self, call: CallRecord) -> None:
        operation = self._bounded(call.upstream, call.operation)
        self._calls.labels(call.upstream, operation, call.outcome).inc()
        if call.outcome != "refused":
            self._seconds.labels(call.upstream, operation).observe(call.duration_ms / 1000)

    def collect(self) -> Iterable[Metric]:
        yield from self._calls.collect()
        yield from self._seconds.collect()
        labels = ["upstream", "account"]
        breakers = GaugeMetricFamily(
            "atalaia_upstream_breaker_open",
            "1 while an upstream is left alone, 0.5 while a trial is due or made.",
            labels=labels,
        )
        for key, phase in self.breakers().items():
            breakers.add_metric(list(key), BREAKER_VALUES[phase])
        yield breakers
        expiry = GaugeMetricFamily(
            "atalaia_upstream_token_expires_seconds", "Seconds until a session token is over.", labels=labels
        )
        if self.now is not None:
            now = self.now()
            for key, at in self.expiries().items():
                expiry.add_metric(list(key), (at - now).total_seconds())
        yield expiry

    def _bounded(self, upstream: str, operation: str) -> str:
        """Workers name operations: beyond a number of them all others are one."""
        if (upstream, operation) not in self._operations:
            if len(self._operations) >= MAX_OPERATIONS:
                return OTHER
            self._operations.add((upstream, operation))
        return operation
