"""Samples in: from bodies of text exposition, and from slices in their own transactions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np

from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import Overloaded
from atalaia.core.settings import Settings
from atalaia.metrics.batches import pack_batch
from atalaia.metrics.catalog import Catalog
from atalaia.metrics.exposition import Metadata, NewSeries, Parsed, Rejected, Samples, parse, times_of
from atalaia.metrics.head import Head
from atalaia.metrics.queries import samples as queries
from atalaia.metrics.queries import series as series_queries
from atalaia.metrics.rollup import DAY_MS
from atalaia.metrics.service.gathering import Gathering
from atalaia.metrics.service.newcomers import Newcomers
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.store.work import Merged

# What is later than this is taken for a mistake, as VictoriaMetrics does; a clock that is hours off is not.
AHEAD_MS = 2 * DAY_MS
MAX_HEAD_SAMPLES = 8_000_000
MAX_METADATA = 20_000
# A larger body would hold up the event loop for more than a few milliseconds.
PARSE_APART_BYTES = 512 * 1024

OwnSample = tuple[str, Mapping[str, str], int, float]
"""Metric, labels, milliseconds since the epoch, value."""


class Import(NamedTuple):
    parsed: Parsed
    sender: str


class Imported(msgspec.Struct, frozen=True):
    accepted: int
    rejected: list[Rejected]


Window = tuple[int, int]
"""From and to, both inclusive, in milliseconds: what is kept."""

Forward = Callable[[Tx, int, bytes], None]
"""(transaction, number of samples, the batch)"""


class Ingest:
    """`take_body` for senders, `write_samples` for slices; both come into the log, and to the forwarder."""

    def __init__(
        self, store: Store, catalog: Catalog, head: Head, *, settings: Settings, clock: Clock, forward: Forward
    ) -> None:
        self._store = store
        self._catalog = catalog
        self._head = head
        self._settings = settings
        self._clock = clock
        self._forward = forward
        self._metadata: dict[tuple[str, str], str] = {}
        self.gathering = Gathering()
        self._newcomers = Newcomers(catalog.known)
        self._imports: Merged[Import, Imported] = Merged("samples", self._run_imports)

    async def take(self, body: bytes, *, sender: str) -> Imported:
        """Keep what a body of text exposition says; comes back after the commit.

        Raises:
            Overloaded: more has come than could be put away; nothing was kept. And as Store.merge.
        """
        if len(self._head) > MAX_HEAD_SAMPLES:
            raise Overloaded("samples come faster than they can be put away", retry_after_s=5)
        if self._newcomers.knows(body):
            return await self._take(body, sender)
        async with self._newcomers.introduced(body):
            return await self._take(body, sender)

    async def _take(self, body: bytes, sender: str) -> Imported:
        parsed = self._parse(body) if len(body) < PARSE_APART_BYTES else await asyncio.to_thread(self._parse, body)
        await self.gathering.together()
        return await self._store.merge(self._imports, Import(parsed, sender))

    def _parse(self, body: bytes) -> Parsed:
        return parse(body, self._catalog.known, default_at_ms=to_ms(self._clock.now()))

    def write_samples(self, tx: Tx, samples: Sequence[OwnSample], *, metadata: Sequence[Metadata] = ()) -> None:
        """Keep samples in the transaction of another slice; the same series and time counts once.

        Raises:
            BadSeries: a name or a label that no series can have.
        """
        if not samples:
            return
        self._keep_metadata(tx, metadata)
        day = to_ms(self._clock.now()) // DAY_MS
        ids = self._catalog.resolve_labelled(tx, [(name, labels) for name, labels, _, _ in samples], day=day)
        times = times_of([at_ms for _, _, at_ms, _ in samples])
        self._keep(tx, [Samples(np.array(ids, np.int64), times, np.array([row[3] for row in samples], np.float64))])

    def _run_imports(self, tx: Tx, imports: Sequence[Import]) -> list[Imported]:
        now = self._clock.now()
        now_ms = to_ms(now)
        window = (now_ms - self._settings.get("metrics.hour_days") * DAY_MS, now_ms + AHEAD_MS)
        done: list[Imported] = []
        blocks: list[Samples] = []
        made: dict[bytes, int] = {}  # in this transaction; of no use to others before its commit
        for each in imports:
            samples, imported = self._take_one(tx, each, now=now, window=window, made=made)
            done.append(imported)
            if len(samples):
                blocks.append(samples)
        if blocks:
            self._keep(tx, blocks)
        return done

    def _take_one(
        self, tx: Tx, one: Import, *, now: datetime, window: Window, made: dict[bytes, int]
    ) -> tuple[Samples, Imported]:
        parsed = one.parsed
        if parsed.is_regular and _is_within(parsed.samples, window):
            return parsed.samples, Imported(len(parsed.samples), [])
        samples, refused = self._identify(tx, one, now=now, made=made)
        samples, misplaced = _within_time(samples, parsed, window, now_ms=to_ms(now))
        self._keep_metadata(tx, parsed.metadata)
        rejected = sorted([*parsed.rejected, *refused, *misplaced], key=lambda each: each.line)
        return samples, Imported(len(samples), rejected)

    def _keep(self, tx: Tx, blocks: Sequence[Samples]) -> None:
        count = sum(map(len, blocks))
        blob = pack_batch(blocks)
        log_id = queries.add_to_log(tx, samples=count, data=blob)
        self._forward(tx, count, blob)
        tx.after_commit(lambda: self._head.append(log_id, blocks))

    def _identify(
        self, tx: Tx, one: Import, *, now: datetime, made: dict[bytes, int]
    ) -> tuple[Samples, list[Rejected]]:
        """Find or make the series that were not known when the body was read; `made` grows by them."""
        parsed, sender = one
        if not parsed.unknown:
            return parsed.samples, []
        known = self._catalog.known.by_key  # since the body was read another may have taught them
        ids = {key: found for key in parsed.unknown if (found := made.get(key) or known.get(key))}
        limit = self._settings.get("metrics.series_per_sender")
        new = [each for key, each in parsed.unknown.items() if key not in ids]
        if new:
            fresh = self._resolve(tx, new, sender=sender, day=to_ms(now) // DAY_MS, limit=limit)
            made.update(fresh)
            ids.update(fresh)
        series_ids = parsed.samples.series_ids.copy()
        for key, found in ids.items():
            series_ids[parsed.unknown[key].rows] = found
        left_out = [each for each in new if each.key not in ids]
        samples = Samples(series_ids, parsed.samples.at_ms, parsed.samples.values)
        return samples, _without_room(parsed, left_out, limit)

    def _resolve(self, tx: Tx, new: Sequence[NewSeries], *, sender: str, day: int, limit: int) -> dict[bytes, int]:
        since_day = day - self._settings.get("metrics.raw_days")
        room = limit - series_queries.count_of_sender(tx, sender, since_day=since_day)
        # In the order of their lines, so that which of them finds room is no matter of chance.
        wanted = list(dict.fromkeys(each.series for each in new))
        ids = self._catalog.resolve(tx, wanted, sender=sender, day=day, room=room)
        learnt = {each.key: ids[each.series] for each in new if each.series in ids}
        tx.after_commit(lambda: self._learn(learnt))
        return learnt

    def _learn(self, learnt: Mapping[bytes, int]) -> None:
        for key, series_id in learnt.items():
            self._catalog.known.learn(key, series_id)

    def _keep_metadata(self, tx: Tx, metadata: Sequence[Metadata]) -> None:
        new = [each for each in metadata if self._metadata.get((each.metric, each.field)) != each.text]
        if new and len(self._metadata) < MAX_METADATA:
            series_queries.keep_metadata(tx, new)
            tx.after_commit(lambda: self._metadata.update({(each.metric, each.field): each.text for each in new}))


def _is_within(samples: Samples, window: Window) -> bool:
    if samples.has_one_time:
        return window[0] <= int(samples.at_ms[0]) <= window[1]
    return bool(samples.at_ms.min() >= window[0] and samples.at_ms.max() <= window[1])


def _within_time(samples: Samples, parsed: Parsed, window: Window, *, now_ms: int) -> tuple[Samples, list[Rejected]]:
    """Leave out rows without a series, and rows of a time that can't be meant or kept."""
    is_good = (samples.at_ms >= window[0]) & (samples.at_ms <= window[1])
    rejected = [
        Rejected(parsed.line_of(row), _why_misplaced(int(samples.at_ms[row]), now_ms))
        for row in (~is_good & (samples.series_ids >= 0)).nonzero()[0].tolist()
    ]
    is_good &= samples.series_ids >= 0
    if is_good.all():
        return samples, []
    return samples.pick(is_good), rejected


def _without_room(parsed: Parsed, left_out: Sequence[NewSeries], limit: int) -> list[Rejected]:
    why = f"limit reached: one sender may have at most {limit} series (setting metrics.series_per_sender)"
    return [Rejected(parsed.line_of(row), why) for new in left_out for row in new.rows]


def _why_misplaced(at_ms: int, now_ms: int) -> str:
    if at_ms > now_ms:
        return f"timestamp is more than {AHEAD_MS // DAY_MS} days ahead (milliseconds are expected): {at_ms}"
    return f"timestamp is older than what is kept (milliseconds are expected): {at_ms}"
