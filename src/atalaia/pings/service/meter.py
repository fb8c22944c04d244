"""What pings cost and how many came, gathered in memory and handed over once a second.

A ping must not wait for the bookkeeping about it: the counters of /metrics follow within a second, and of many pings a
few at a time, with a turn of the event loop for everybody else between them.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence

from atalaia.core.errors import AtalaiaError
from atalaia.metrics.service.ingest import OwnSample
from atalaia.metrics.service.metrics import MetricsService
from atalaia.store.store import Store

ENDPOINT, METHOD = "/api/ping", "POST"
PROCESSING = "collector_api_processing_seconds"
# Plain samples of the processing time a second, at most: one series needs no more to show its shape.
MAX_SAMPLES = 100
# Of as many a histogram takes note within half a millisecond.
STEP = 200

# location, country
Origin = tuple[str, str]


class Meter:
    def __init__(self, store: Store, metrics: MetricsService) -> None:
        self._store = store
        self._metrics = metrics
        self._received: Counter[Origin] = Counter()
        self._took: list[tuple[int, float]] = []
        self._answered: list[float] = []

    def answered(self, took_s: float) -> None:
        """Any request, also one that was refused."""
        self._answered.append(took_s)

    def note(self, origin: Origin, *, at_ms: int, took_s: float) -> None:
        self._received[origin] += 1
        self._took.append((at_ms, took_s))

    async def hand_over(self) -> None:
        """A loop calls it each second."""
        if not self._answered:
            return
        answered, self._answered = self._answered, []
        received, self._received = self._received, Counter()
        took, self._took = self._took, []
        for part in _steps(answered):
            self._metrics.own.api_answered_often(ENDPOINT, METHOD, took_s=part)
            await asyncio.sleep(0)
        self._metrics.own.pings_received(received, took_s=())
        for part in _steps([seconds for _, seconds in took]):
            self._metrics.own.pings_received({}, took_s=part)
            await asyncio.sleep(0)
        if not took:
            return
        samples: list[OwnSample] = [(PROCESSING, {}, at_ms, seconds) for at_ms, seconds in thinned(took, MAX_SAMPLES)]
        try:
            await self._store.write(lambda tx: self._metrics.write_samples(tx, samples))
        except AtalaiaError:  # bookkeeping: a full disk is told elsewhere
            return


def _steps(values: Sequence[float]) -> Iterator[Sequence[float]]:
    return (values[start : start + STEP] for start in range(0, len(values), STEP))


def thinned(points: Sequence[tuple[int, float]], limit: int) -> list[tuple[int, float]]:
    """At most `limit` of them, evenly spread, one a millisecond."""
    step = max(1, -(-len(points) // limit))
    return list(dict(points[::step]).items())
