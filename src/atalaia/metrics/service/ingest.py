"""Samples in: from bodies of text exposition, and from slices in their own transactions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import numpy as np

from atalaia.core.clock import Clock, to_ms
from atalaia.core.errors import Overloaded
from atalaia.core.settings import Settings
from atalaia.metrics.batches import join_samples, pack_batch
from atalaia.metrics.catalog import Catalog
from atalaia.metrics.exposition import Metadata, NewSeries, Parsed, Rejected, Samples, parse
from atalaia.metrics.head import Head
from atalaia.metrics.queries import samples as queries
from atalaia.metrics.queries import series as series_queries
from atalaia.metrics.rollup import DAY_MS
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.store.work import Merged

# What is later than this is taken for a mistake, as VictoriaMetrics does; a clock that is hours off is not.
AHEAD_MS = 2 * DAY_MS
MAX_HEAD_SAMPLES = 8_000_000
MAX_METADATA = 20_000

OwnSample = tuple[str, Mapping[str, str], int, float]
"""Metric, labels, milliseconds since the epoch, value."""


class Import(NamedTuple):
    parsed: Parsed
    sender: str


class Imported(msgspec.Struct, frozen=True):
    accepted: int
    rejected: list[Rejected]


Forward = Callable[[Tx, Samples, bytes], None]


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
        self._imports: Merged[Import, Imported] = Merged("samples", self._run_imports)

    def parse(self, body: bytes) -> Parsed:
        return parse(body, self._catalog.known, default_at_ms=to_ms(self._clock.now()))

    async def take(self, parsed: Parsed, *, sender: str) -> Imported:
        """Keep what a body says; comes back after the commit.

        Raises:
            Overloaded: more has come than could be put away; nothing was kept. And as Store.merge.
        """
        if len(self._head) > MAX_HEAD_SAMPLES:
            raise Overloaded("samples come faster than they can be put away", retry_after_s=5)
        return await self._store.merge(self._imports, Import(parsed, sender))

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
        times = np.array([at_ms for _, _, at_ms, _ in samples], np.int64)
        self._keep(tx, Samples(np.array(ids, np.int64), times, np.array([row[3] for row in samples], np.float64)))

    def _run_imports(self, tx: Tx, imports: Sequence[Import]) -> list[Imported]:
        now = self._clock.now()
        done: list[Imported] = []
        parts: list[Samples] = []
        for parsed, sender in imports:
            samples, refused = self._identify(tx, parsed, sender, now)
            samples, misplaced = self._within_time(samples, parsed, now)
            parts.append(samples)
            rejected = sorted([*parsed.rejected, *refused, *misplaced], key=lambda each: each.line)
            done.append(Imported(len(samples), rejected))
            self._keep_metadata(tx, parsed.metadata)
        joined = join_samples(parts)
        if len(joined):
            self._keep(tx, joined)
        return done

    def _keep(self, tx: Tx, samples: Samples) -> None:
        blob = pack_batch(samples)
        log_id = queries.add_to_log(tx, samples=len(samples), data=blob)
        self._forward(tx, samples, blob)
        tx.after_commit(lambda: self._head.append(log_id, samples))

    def _identify(self, tx: Tx, parsed: Parsed, sender: str, now: datetime) -> tuple[Samples, list[Rejected]]:
        if not parsed.unknown:
            return parsed.samples, []
        day = to_ms(now) // DAY_MS
        limit = self._settings.get("metrics.series_per_sender")
        since_day = day - self._settings.get("metrics.raw_days")
        room = limit - series_queries.count_of_sender(tx, sender, since_day=since_day)
        # In the order of their lines, so that which of them finds room is no matter of chance.
        wanted = list(dict.fromkeys(new.series for new in parsed.unknown.values()))
        ids = self._catalog.resolve(tx, wanted, sender=sender, day=day, room=room)
        series_ids = parsed.samples.series_ids.copy()
        learnt: list[tuple[bytes, int]] = []
        for new in parsed.unknown.values():
            if new.series in ids:
                series_ids[new.rows] = ids[new.series]
                learnt.append((new.key, ids[new.series]))
        tx.after_commit(lambda: self._learn(learnt))
        left_out = [new for new in parsed.unknown.values() if new.series not in ids]
        samples = Samples(series_ids, parsed.samples.at_ms, parsed.samples.values)
        return samples, _without_room(parsed, left_out, limit)

    def _learn(self, learnt: list[tuple[bytes, int]]) -> None:
        for key, series_id in learnt:
            self._catalog.known.learn(key, series_id)

    def _within_time(self, samples: Samples, parsed: Parsed, now: datetime) -> tuple[Samples, list[Rejected]]:
        """Leave out rows without a series, and rows of a time that can't be meant or kept."""
        now_ms = to_ms(now)
        oldest_ms = now_ms - self._settings.get("metrics.hour_days") * DAY_MS
        is_good = (samples.at_ms <= now_ms + AHEAD_MS) & (samples.at_ms >= oldest_ms)
        rejected = [
            Rejected(parsed.line_of(row), _why_misplaced(int(samples.at_ms[row]), now_ms))
            for row in (~is_good & (samples.series_ids >= 0)).nonzero()[0].tolist()
        ]
        is_good &= samples.series_ids >= 0
        if is_good.all():
            return samples, []
        return samples.pick(is_good), rejected

    def _keep_metadata(self, tx: Tx, metadata: Sequence[Metadata]) -> None:
        new = [each for each in metadata if self._metadata.get((each.metric, each.field)) != each.text]
        if new and len(self._metadata) < MAX_METADATA:
            series_queries.keep_metadata(tx, new)
            tx.after_commit(lambda: self._metadata.update({(each.metric, each.field): each.text for each in new}))


def _without_room(parsed: Parsed, left_out: Sequence[NewSeries], limit: int) -> list[Rejected]:
    why = f"limit reached: one sender may have at most {limit} series (setting metrics.series_per_sender)"
    return [Rejected(parsed.line_of(row), why) for new in left_out for row in new.rows]


def _why_misplaced(at_ms: int, now_ms: int) -> str:
    if at_ms > now_ms:
        return f"timestamp is more than {AHEAD_MS // DAY_MS} days ahead (milliseconds are expected): {at_ms}"
    return f"timestamp is older than what is kept (milliseconds are expected): {at_ms}"
