"""Samples in, kept, out: what the other slices call, and what the routes and loops run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime

import msgspec

from atalaia.core.clock import Clock, to_ms
from atalaia.metrics.forwarding.forwarder import Forwarder
from atalaia.metrics.model import RangeQuery, SeriesPoints
from atalaia.metrics.own import ForwardingState, OwnMetrics
from atalaia.metrics.queries import series as series_queries
from atalaia.metrics.queries.series import SeriesRow
from atalaia.metrics.service.ingest import Imported, Ingest, OwnSample
from atalaia.metrics.service.reading import Reader
from atalaia.metrics.service.rolling import Rolling
from atalaia.metrics.service.sealing import Sealing
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store


class NameOut(msgspec.Struct, frozen=True):
    """A metric, with the number of its series; type and help may be empty."""

    name: str
    series: int
    type: str
    help: str


class TargetOut(msgspec.Struct, frozen=True):
    """How it stands with a target of the forwarder."""

    target: str
    waiting_samples: int
    oldest_at: datetime | None
    sent_samples: int
    dropped_samples: int
    set_aside_batches: int
    sent_at: datetime | None
    last_error: str
    is_stalled: bool


class MetricsService:
    """`own` takes what other slices count; `write_samples` takes measured values in their transaction."""

    def __init__(
        self,
        store: Store,
        *,
        ingest: Ingest,
        reader: Reader,
        sealing: Sealing,
        rolling: Rolling,
        forwarder: Forwarder,
        own: OwnMetrics,
        clock: Clock,
    ) -> None:
        self._store = store
        self._ingest = ingest
        self._reader = reader
        self.forwarder = forwarder
        self._clock = clock
        self.sealing = sealing
        self.rolling = rolling
        self.own = own
        own.registry.register(ForwardingState(self._forwarding_rows))

    def now(self) -> datetime:
        return self._clock.now()

    # -- in

    def write_samples(self, tx: Tx, samples: Sequence[OwnSample]) -> None:
        """Keep (metric, labels, at_ms, value) in the caller's transaction; the same series and time counts once.

        Raises:
            BadSeries: a name or a label that no series can have.
        """
        self._ingest.write_samples(tx, samples)

    def expected(self) -> AbstractContextManager[None]:
        """While a body for `import_body` is received: those that come at once are committed together."""
        return self._ingest.gathering.expected()

    async def import_body(self, body: bytes, *, sender: str) -> Imported:
        """Keep what a body of text exposition says; comes back after the commit. Raises as Store.merge."""
        imported = await self._ingest.take(body, sender=sender)
        self.own.imported(accepted=imported.accepted, rejected=len(imported.rejected))
        return imported

    async def write_own(self) -> None:
        """Put the hub's own metrics among the samples."""
        samples = self.own.samples(to_ms(self._clock.now()))
        await self._store.write(lambda tx: self._ingest.write_samples(tx, samples, metadata=self.own.metadata()))

    # -- out

    async def query(self, question: RangeQuery) -> list[SeriesPoints]:
        """Raises: InvalidField: more series than one answer may have."""
        return await self._store.read(lambda tx: self._reader.query(tx, question))

    async def names(self, *, search: str, after: str, limit: int) -> list[NameOut]:
        rows = await self._store.read(lambda tx: series_queries.list_names(tx, search=search, after=after, limit=limit))
        return [NameOut(*row) for row in rows]

    async def series(self, *, metric: str | None, after: int, limit: int) -> list[SeriesRow]:
        return await self._store.read(
            lambda tx: series_queries.list_series(tx, metric=metric, after=after, limit=limit)
        )

    def targets(self) -> list[TargetOut]:
        """As this hub, if it leads, has last seen them."""
        return [
            TargetOut(
                name,
                state.depth.samples,
                state.depth.oldest_at,
                state.sent_samples,
                state.dropped_samples,
                state.depth.set_aside,
                state.sent_at,
                state.last_error,
                bool(state.is_stalled),
            )
            for name, state in self.forwarder.states.items()
        ]

    def _forwarding_rows(self) -> list[tuple[str, dict[str, float]]]:
        now = self._clock.now()
        return [
            (
                each.target,
                {
                    "depth": each.waiting_samples,
                    "age": (now - each.oldest_at).total_seconds() if each.oldest_at else 0.0,
                    "aside": each.set_aside_batches,
                    "sent": each.sent_samples,
                    "dropped": each.dropped_samples,
                },
            )
            for each in self.targets()
        ]

    async def start(self) -> None:
        """Load what the log holds into memory."""
        await self._store.read(self._reader.load)
