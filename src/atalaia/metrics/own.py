"""The hub's own metrics: names, types and labels as users' dashboards have them.

Upper slices tell what happens by the methods; `page` is what a scraper gets, `samples` what goes to the own store.
HELP and TYPE are there from the start, for each name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from atalaia.metrics.exposition import Metadata

PAGE_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
MAX_LABEL_SETS = 1_000
MAX_LABEL_CHARS = 200
OTHER = "other"
# From a machine next door to the other side of the world, and what a timeout of 10 s lets through.
_RTT_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0)
_WORK_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_ROUTE = ("source_location", "source_datacenter", "source_country", "target_location")

# _created series of counters are no part of what dashboards expect.
disable_created_metrics()  # type: ignore[no-untyped-call]


class ForwardingState(Collector):
    """Queue and drops of the forwarder, asked for when a page is made."""

    def __init__(self, rows: Callable[[], Iterable[tuple[str, Mapping[str, float]]]]) -> None:
        self._rows = rows

    def collect(self) -> Iterable[Metric]:
        label = ["target"]
        families: dict[str, Any] = {
            "depth": GaugeMetricFamily(
                "atalaia_forward_queue_samples", "Samples that wait for a target.", labels=label
            ),
            "age": GaugeMetricFamily("atalaia_forward_queue_age_seconds", "Age of the oldest of them.", labels=label),
            "aside": GaugeMetricFamily(
                "atalaia_forward_batches_set_aside", "Batches that a target refused.", labels=label
            ),
            "sent": CounterMetricFamily(
                "atalaia_forward_sent_samples", "Samples that a target has taken.", labels=label
            ),
            "dropped": CounterMetricFamily(
                "atalaia_forward_dropped_samples", "Samples dropped because too many waited.", labels=label
            ),
        }
        for target, values in self._rows():
            for name, value in values.items():
                families[name].add_metric([target], value)
        return families.values()


# Sent by agents for each check; the page shows the last of each kind.
MEASURED_ELSEWHERE = frozenset({"database_available"})


class OwnMetrics:
    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self._rtt = Histogram(
            "network_latency_rtt_seconds",
            "Round trip from a source to a collector.",
            _ROUTE,
            registry=registry,
            buckets=_RTT_BUCKETS,
        )
        self._last_rtt = Gauge("network_latency_last_rtt_seconds", "The last round trip.", _ROUTE, registry=registry)
        sent = ("source_location", "target_location")
        self._pings = Counter("ping_requests_total", "Pings that sources made.", (*sent, "status"), registry=registry)
        self._ping_errors = Counter(
            "ping_errors_total", "Pings that failed, by reason.", (*sent, "error_type"), registry=registry
        )
        self._received = Counter(
            "collector_api_pings_received_total",
            "Pings received.",
            ("source_location", "source_country"),
            registry=registry,
        )
        self._processing = Histogram(
            "collector_api_processing_seconds", "Time to take a ping.", registry=registry, buckets=_WORK_BUCKETS
        )
        Gauge("ping_service_up", "1 while pings are taken.", registry=registry).set(1)
        Gauge("collector_api_up", "1 while the collector answers.", registry=registry).set(1)
        self._requests = Counter("api_requests_total", "Requests.", ("endpoint", "method"), registry=registry)
        self._request_seconds = Histogram(
            "api_request_duration_seconds",
            "Time to answer.",
            ("endpoint", "method"),
            registry=registry,
            buckets=_WORK_BUCKETS,
        )
        self._make_database(registry)
        self._accepted = Counter("atalaia_samples_accepted_total", "Samples taken by import.", registry=registry)
        self._rejected = Counter("atalaia_samples_rejected_total", "Lines refused by import.", registry=registry)
        self._children: dict[int, dict[tuple[str, ...], Any]] = {}

    def _make_database(self, registry: CollectorRegistry) -> None:
        self._database_up = Gauge(
            "database_available",
            "1 when the last probe of this kind of database went well.",
            ("db_type",),
            registry=registry,
        )
        self._database_seconds = Histogram(
            "database_query_latency_seconds",
            "Time of probes' connections and queries.",
            ("db_type", "operation", "status"),
            registry=registry,
            buckets=_RTT_BUCKETS,
        )
        self._database_errors = Counter(
            "database_connection_errors_total", "Probes that failed.", ("db_type", "error_type"), registry=registry
        )

    # -- told by other slices

    def pings_received(self, counts: Mapping[tuple[str, str], int], *, took_s: Iterable[float]) -> None:
        """Many at once, by location and country; a collector under load must not pay for each."""
        for (location, country), count in counts.items():
            self._of(self._received, location, country).inc(count)
        for seconds in took_s:
            self._processing.observe(seconds)

    def api_answered_often(self, endpoint: str, method: str, *, took_s: Sequence[float]) -> None:
        """As `api_answered`, many at once."""
        self._of(self._requests, endpoint, method).inc(len(took_s))
        durations = self._of(self._request_seconds, endpoint, method)
        for seconds in took_s:
            durations.observe(seconds)

    def ping_reported(self, source: Mapping[str, str], target: str, *, outcome: str, rtt_s: float | None) -> None:
        """What an agent measured; `outcome` is `ok` or an error type, `source` has location, datacenter, country."""
        location = source.get("location", "")
        is_ok = outcome == "ok"
        self._of(self._pings, location, target, "success" if is_ok else "error").inc()
        if not is_ok:
            self._of(self._ping_errors, location, target, outcome).inc()
        if rtt_s is not None:
            route = (location, source.get("datacenter", ""), source.get("country", ""), target)
            self._of(self._rtt, *route).observe(rtt_s)
            self._of(self._last_rtt, *route).set(rtt_s)

    def api_answered(self, endpoint: str, method: str, *, seconds: float) -> None:
        """`endpoint` is the route as declared, not the address as typed."""
        self._of(self._requests, endpoint, method).inc()
        self._of(self._request_seconds, endpoint, method).observe(seconds)

    def database_probed(self, db_type: str, *, is_available: bool, error_type: str | None = None) -> None:
        self._of(self._database_up, db_type).set(1 if is_available else 0)
        if error_type is not None:
            self._of(self._database_errors, db_type, error_type).inc()

    def database_timed(self, db_type: str, operation: str, *, status: str, seconds: float) -> None:
        self._of(self._database_seconds, db_type, operation, status).observe(seconds)

    def imported(self, *, accepted: int, rejected: int) -> None:
        self._accepted.inc(accepted)
        self._rejected.inc(rejected)

    # -- asked

    def page(self) -> bytes:
        return generate_latest(self.registry)

    def samples(self, at_ms: int) -> list[tuple[str, Mapping[str, str], int, float]]:
        """All values now, as samples of the own store; without what its measurers send under the same name."""
        return [
            (sample.name, sample.labels, at_ms, sample.value)
            for family in self.registry.collect()
            if family.name not in MEASURED_ELSEWHERE
            for sample in family.samples
        ]

    def metadata(self) -> list[Metadata]:
        """What each name in `samples` is."""
        said: list[Metadata] = []
        for family in self.registry.collect():
            for name in {sample.name for sample in family.samples}:
                said += [Metadata(name, "type", family.type), Metadata(name, "help", family.documentation)]
        return said

    def _of(self, family: Any, *labels: str) -> Any:
        """The child of these labels. What senders name is bounded: beyond a number of sets all others are one."""
        children = self._children.setdefault(id(family), {})
        child = children.get(labels)
        if child is None:
            cut = tuple(label[:MAX_LABEL_CHARS] for label in labels)
            if cut not in children and len(children) >= MAX_LABEL_SETS:
                return family.labels(*(OTHER for _ in cut))
            child = children[cut] = family.labels(*cut)
        return child
