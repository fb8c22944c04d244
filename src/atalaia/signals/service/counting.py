"""How signals were answered and how their runs went: counted in memory, written once a second.

A signal must not wait for the bookkeeping about it. What a crash may lose is the counts of the last second; runs are on record.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address, ip_network

from prometheus_client import Histogram, Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import AtalaiaError
from atalaia.sdk.transaction import Tx
from atalaia.signals.model.answers import Answer, answer_of
from atalaia.signals.model.rate import MINUTE_MS
from atalaia.signals.model.runs import Outcome
from atalaia.signals.queries import counts as queries
from atalaia.store.store import Store

TOPIC = "signals"
PERIOD_S = 1.0
# Whoever tries names must not fill the memory, nor the table.
MOST_PENDING = 2_000
MOST_PLACES = 1_000
_IPV6_NETWORK = 64  # one customer's, at the least
_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class _Count:
    __slots__ = ("answers", "at_ms", "status")

    def __init__(self) -> None:
        self.answers: Counter[Answer] = Counter()
        self.status = 0
        self.at_ms = 0


class Counting(Collector):
    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._pending: dict[tuple[str, int], _Count] = {}
        self._places: Counter[tuple[str, str]] = Counter()
        self._answers: Counter[tuple[str, str]] = Counter()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()
        self._seconds = Histogram(
            "atalaia_signal_run_seconds", "How long runs of signals took.", ["signal"], registry=None, buckets=_BUCKETS
        )

    # -- from the loop that serves

    def answered(self, signal: str, status: int, *, address: str = "") -> None:
        """A request for a signal; whether there is one of the name is asked when the counts are written."""
        at_ms = to_ms(self._clock.now())
        key = signal, at_ms // MINUTE_MS
        count = self._pending.get(key)
        if count is None:
            if len(self._pending) >= MOST_PENDING:
                return
            count = self._pending[key] = _Count()
        count.answers[answer_of(status)] += 1
        count.status, count.at_ms = status, at_ms
        if status == 401 and len(self._places) < MOST_PLACES:  # noqa: PLR2004 - of HTTP
            self._places[signal, place_of(address)] += 1

    async def flush(self) -> None:
        """A loop calls it each second, and the hub's stop."""
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        places, self._places = self._places, Counter()
        try:
            known = await self._store.write(lambda tx: self._write(tx, pending, places))
        except AtalaiaError:  # bookkeeping: a full disk is told elsewhere
            return
        for (signal, _), count in pending.items():
            if signal in known:
                self._answers.update({(signal, str(answer)): n for answer, n in count.answers.items()})

    def _write(self, tx: Tx, pending: dict[tuple[str, int], _Count], places: "Counter[tuple[str, str]]") -> set[str]:
        known = queries.names(tx)
        rows = [
            (signal, minute, *(count.answers[answer] for answer in Answer), count.status, count.at_ms)
            for (signal, minute), count in pending.items()
            if signal in known
        ]
        queries.add(tx, rows)
        now_ms = to_ms(self._clock.now())
        refused = [(signal, place, times, now_ms) for (signal, place), times in places.items() if signal in known]
        if refused and queries.count_refusals(tx) < MOST_PLACES:
            queries.refuse(tx, refused)
        for signal in known & {signal for signal, _ in pending}:
            tx.publish(TOPIC, signal)
        return known

    # -- from any thread

    def ended(self, signal: str, outcome: Outcome, took_ms: int) -> None:
        with self._lock:
            self._outcomes[signal, str(outcome)] += 1
        self._seconds.labels(signal).observe(took_ms / 1000)

    def collect(self) -> Iterable[Metric]:
        answers = CounterMetricFamily(
            "atalaia_signals", "Signals by name and how they were answered.", labels=["signal", "answer"]
        )
        for labels, count in sorted(self._answers.items()):
            answers.add_metric(labels, count)
        yield answers
        outcomes = CounterMetricFamily(
            "atalaia_signal_runs", "Runs of signals by what became of them.", labels=["signal", "outcome"]
        )
        with self._lock:
            ended = sorted(self._outcomes.items())
        for labels, count in ended:
            outcomes.add_metric(labels, count)
        yield outcomes
        yield from self._seconds.collect()


def place_of(address: str) -> str:
    """Where a request comes from, as far as it tells one place from another: of IPv6 the network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address or "-"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, _IPV6_NETWORK), strict=False))
    return str(parsed)
