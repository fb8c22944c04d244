"""From the log to chunks: one series over two hours each.

1. Take the rows of the log; sort their samples by series and time.
2. For some series at a time: read the chunks that are there, merge (a sample that is there already counts once), encode;
   then write them in one transaction, each only as the successor of the edition that was read.
3. When all samples of the rows are in chunks, remove the rows.

A chunk that can't be decoded is set aside, and begun anew with what comes: one bad sector must not hold up all the rest.

After a crash at any point the rows are still there, and are merged again to the same effect. A second leader that
believes to lead loses the race of editions and begins again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from atalaia.core.clock import Clock, to_ms
from atalaia.core.settings import Settings
from atalaia.metrics.batches import unpack_batch
from atalaia.metrics.chunks import SPAN_MS, decode_sound, encode_times, encode_values
from atalaia.metrics.head import Head
from atalaia.metrics.queries import samples as queries
from atalaia.metrics.queries import series as series_queries
from atalaia.metrics.queries.samples import ChangedMeanwhile, ChunkRow
from atalaia.metrics.rollup import DAY_MS, Merger
from atalaia.metrics.service.damage import set_aside
from atalaia.metrics.sorting import Part, sort_into_parts
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

SEAL_AT_SAMPLES = 2_000_000
ROWS_A_ROUND = 20_000
CHUNKS_A_UNIT = 100
PARTS_A_TURN = 8

log = structlog.get_logger()


class Sealing:
    def __init__(self, store: Store, head: Head, *, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._head = head
        self._settings = settings
        self._clock = clock
        self._sealed_at = clock.monotonic()

    async def run(self) -> None:
        """Seal when it is time, or when much has come."""
        is_time = self._clock.monotonic() - self._sealed_at >= self._settings.get("metrics.seal_every_s")
        if is_time or await self._store.read(queries.log_size) >= SEAL_AT_SAMPLES:
            await self.seal()
            self._sealed_at = self._clock.monotonic()

    async def seal(self) -> int:
        """Seal all that is in the log now; how many samples that was."""
        total = 0
        while True:
            rows = await self._store.read(lambda tx: queries.read_log(tx, limit=ROWS_A_ROUND))
            if not rows:
                return total
            try:
                total += await self._seal_rows(rows)
            except ChangedMeanwhile:
                log.info("sealing_begins_again")
                return total

    async def _seal_rows(self, rows: list[tuple[int, bytes]]) -> int:
        samples, parts = await asyncio.to_thread(_by_chunk, [data for _, data in rows])
        for start in range(0, len(parts), CHUNKS_A_UNIT):
            await self._seal_parts(parts[start : start + CHUNKS_A_UNIT])
        ids = [log_id for log_id, _ in rows]
        await self._store.write(lambda tx: self._forget(tx, ids))
        return samples

    async def _seal_parts(self, parts: Sequence[Part]) -> None:
        found = await self._store.read(lambda tx: _chunks_of(tx, parts))
        changed, damaged = await asyncio.to_thread(_merge, parts, found)
        if changed:
            await self._store.write(lambda tx: self._write(tx, changed, damaged))

    def _write(self, tx: Tx, changed: Sequence[ChunkRow], damaged: Sequence[ChunkRow]) -> None:
        now = self._clock.now()
        queries.put_chunks(tx, changed)
        series_queries.mark_seen(tx, {row.series_id for row in changed}, day=to_ms(now) // DAY_MS)
        set_aside(tx, damaged, now=now)

    def _forget(self, tx: Tx, ids: Sequence[int]) -> None:
        queries.drop_from_log(tx, ids)
        tx.after_commit(lambda: self._head.drop(ids))


def _by_chunk(blobs: Sequence[bytes]) -> tuple[int, list[Part]]:
    blocks = [block for blob in blobs for block in unpack_batch(blob)]
    return sum(map(len, blocks)), sort_into_parts(blocks)


def _chunks_of(tx: Tx, parts: Sequence[Part]) -> dict[tuple[int, int], ChunkRow]:
    wanted = {(part.series_id, part.span) for part in parts}
    spans = [span for _, span in wanted]
    ids = sorted({series_id for series_id, _ in wanted})
    rows = queries.find_chunks(tx, ids, spans=(min(spans), max(spans) + 1))
    return {(row.series_id, row.span): row for row in rows if (row.series_id, row.span) in wanted}


def _merge(parts: Sequence[Part], found: dict[tuple[int, int], ChunkRow]) -> tuple[list[ChunkRow], list[ChunkRow]]:
    """The chunks to write, and those found that can't be decoded."""
    changed: list[ChunkRow] = []
    stored = decode_sound([(span * SPAN_MS, row.data) for (_, span), row in found.items()])
    former = {place: part for place, part in zip(found, stored, strict=True) if part is not None}
    merger = Merger()
    times, head = None, b""
    for number, part in enumerate(parts):
        if number % PARTS_A_TURN == 0:
            # Encoding holds the interpreter: let whoever waits for it go first, so that requests see nothing of this.
            time.sleep(0)
        place = (part.series_id, part.span)
        new = (part.at_ms, part.values)
        at_ms, values = merger.merge(former[place], new) if place in former else new
        if at_ms is not times:
            times, head = at_ms, encode_times(at_ms, start_ms=part.span * SPAN_MS)
        data = head + encode_values(values)
        old = found.get(place)
        if old is None or data != old.data:
            edition = 0 if old is None else old.edition
            changed.append(ChunkRow(part.series_id, part.span, edition, is_rolled=False, data=data))
    return changed, [row for place, row in found.items() if place not in former]
