"""Calls on their way into the store: this process' own in batches of a second, those of workers as they are reported."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from atalaia.core.clock import Clock
from atalaia.core.errors import AtalaiaError
from atalaia.outbound.breaker import NO_VERDICT
from atalaia.sdk.transaction import Tx
from atalaia.sdk.upstreams import CallRecord
from atalaia.store.store import Store
from atalaia.upstreams.metrics import UpstreamMetrics
from atalaia.upstreams.model.records import Batch
from atalaia.upstreams.model.registered import Key
from atalaia.upstreams.queries import records as queries
from atalaia.upstreams.queries.breakers import Kept
from atalaia.upstreams.service.breakers import PAGE_TOPIC, BreakerBook, Ended

# Pages of an upstream are fetched anew this often while all is well; a failure shows at once.
PUBLISH_S = 10.0

log = structlog.get_logger()


class Recorder:
    """See sdk.upstreams.CallSink; `flush` is the loop's."""

    def __init__(self, store: Store, *, clock: Clock, metrics: UpstreamMetrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._batch = Batch()
        self._published: dict[str, datetime] = {}
        self.wake = asyncio.Event()
        self.book: BreakerBook | None = None

    def record(self, call: CallRecord) -> None:
        self._metrics.count(call)
        self._batch.add(call)

    async def flush(self) -> None:
        """Write what has happened since the last time; what can't be written is kept for the next."""
        assert self.book is not None  # noqa: S101 - set by wiring
        batch, self._batch = self._batch, Batch()
        ended = self.book.take_pending()
        if not batch and not ended:
            return
        try:
            await self._write(batch, ended)
        except AtalaiaError:
            batch.merge(self._batch)
            self._batch = batch
            self.book.give_back(ended)
            raise

    async def take(self, calls: Sequence[CallRecord]) -> Mapping[Key, Kept]:
        """What a worker reports; on its way out again are the breakers of the accounts that it named."""
        batch = Batch()
        for call in calls:
            self._metrics.count(call)
            batch.add(call)
        ended = [
            Ended((call.upstream, call.account), call.outcome, call.at)
            for call in calls
            if call.outcome not in NO_VERDICT
        ]
        return await self._write(batch, ended)

    async def _write(self, batch: Batch, ended: Sequence[Ended]) -> Mapping[Key, Kept]:
        assert self.book is not None  # noqa: S101 - as above
        book = self.book
        told = [_with_error(each, batch) for each in ended]

        def unit(tx: Tx) -> dict[Key, Kept]:
            queries.add_minutes(tx, batch.minutes.values())
            for failures in batch.failures.values():
                queries.add_failures(tx, failures)
            kept = book.apply(tx, told)
            for name in self._to_publish(batch):
                tx.publish(PAGE_TOPIC, name)
            return kept

        kept = await self._store.write(unit)
        book.adopt(kept)
        return kept

    def _to_publish(self, batch: Batch) -> set[str]:
        now = self._clock.now()
        names = set(batch.failures)
        for name in {minute.upstream for minute in batch.minutes.values()} - names:
            if now - self._published.get(name, datetime.min.replace(tzinfo=now.tzinfo)) >= timedelta(seconds=PUBLISH_S):
                names.add(name)
        self._published.update(dict.fromkeys(names, now))
        return names


def _with_error(ended: Ended, batch: Batch) -> Ended:
    """Results come without words; those are with the failures of the same batch."""
    if ended.error or ended.key[0] not in batch.failures:
        return ended
    said = [failure.error for failure in batch.failures[ended.key[0]] if failure.account == ended.key[1]]
    return ended._replace(error=said[-1]) if said else ended
