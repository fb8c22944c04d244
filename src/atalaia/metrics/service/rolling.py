"""From chunks to roll-ups, and away with what is old.

A day is rolled up by the hour as soon as it is over; its samples stay. When they are older than is kept, the day is rolled
up by the minute as well and its samples go, in one transaction: the roll-ups are then final, and samples that come later
still are added to them and go too. (Among those a repetition can't be told from a new one any more.)
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import structlog

from atalaia.core.clock import Clock, to_ms
from atalaia.core.settings import Settings
from atalaia.metrics.chunks import SPAN_MS, decode_sound
from atalaia.metrics.chunks.bits import Signed
from atalaia.metrics.chunks.codec import Floats
from atalaia.metrics.queries import samples as queries
from atalaia.metrics.queries.samples import ChangedMeanwhile, ChunkRow, RollupRow
from atalaia.metrics.rollup import (
    DAY_MS,
    MINUTE_MS,
    combine,
    decode_columns,
    encode_columns,
    from_samples,
    merge_samples,
    roll_up,
)
from atalaia.metrics.service.damage import set_aside
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

MINUTE_S, HOUR_S = 60, 3600
SPANS_A_DAY = DAY_MS // SPAN_MS
DAYS_A_UNIT = 20
CHUNKS_A_ROUND = 2_000
DROPS_A_UNIT = 500
# A day's last samples are still on their way when it ends.
GRACE_MS = 15 * MINUTE_MS

log = structlog.get_logger()

SeriesDay = tuple[int, int]


class Rolling:
    def __init__(self, store: Store, *, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock

    async def run(self) -> None:
        try:
            await self._roll_up()
            await self._expire()
            await self._drop_old()
        except ChangedMeanwhile:
            log.info("rolling_begins_again")

    async def _roll_up(self) -> None:
        today = (to_ms(self._clock.now()) - GRACE_MS) // DAY_MS
        before = today * SPANS_A_DAY
        while True:
            days = await self._store.read(
                lambda tx: queries.unrolled_days(tx, before_span=before, spans_a_day=SPANS_A_DAY, limit=CHUNKS_A_ROUND)
            )
            if not days:
                return
            await self._settle(days)

    async def _expire(self) -> None:
        kept_from = to_ms(self._clock.now()) // DAY_MS - self._settings.get("metrics.raw_days")
        while True:
            days = await self._store.read(
                lambda tx: queries.open_days(tx, before_day=kept_from, limit=CHUNKS_A_ROUND // SPANS_A_DAY)
            )
            if not days:
                return
            await self._settle(days)

    async def _settle(self, days: Sequence[SeriesDay]) -> None:
        kept_from = to_ms(self._clock.now()) // DAY_MS - self._settings.get("metrics.raw_days")
        for start in range(0, len(days), DAYS_A_UNIT):
            some = days[start : start + DAYS_A_UNIT]
            found = await self._store.read(partial(_read_days, days=some))
            made = await asyncio.to_thread(_make, some, found, kept_from)
            await self._store.write(partial(_write, made=made, now=self._clock.now()))

    async def _drop_old(self) -> None:
        today = to_ms(self._clock.now()) // DAY_MS
        for width_s, key in ((MINUTE_S, "metrics.minute_days"), (HOUR_S, "metrics.hour_days")):
            before = today - self._settings.get(key)
            drop = partial(queries.drop_rollups, width_s=width_s, before_day=before, limit=DROPS_A_UNIT)
            while await self._store.write(drop):
                pass


Found = tuple[dict[SeriesDay, list[ChunkRow]], dict[tuple[int, int, int], RollupRow]]


def _read_days(tx: Tx, days: Sequence[SeriesDay]) -> Found:
    ids = sorted({series_id for series_id, _ in days})
    first, last = min(day for _, day in days), max(day for _, day in days) + 1
    wanted = set(days)
    chunks: dict[SeriesDay, list[ChunkRow]] = {}
    for chunk in queries.find_chunks(tx, ids, spans=(first * SPANS_A_DAY, last * SPANS_A_DAY)):
        place = (chunk.series_id, chunk.span // SPANS_A_DAY)
        if place in wanted:
            chunks.setdefault(place, []).append(chunk)
    rows = queries.find_rollups(tx, ids, widths_s=(MINUTE_S, HOUR_S), days=(first, last))
    return chunks, {(row.series_id, row.day, row.width_s): row for row in rows}


@dataclass(slots=True)
class Made:
    """The roll-ups to write, the chunks that are spent, those that stay, and those that can't be decoded."""

    rollups: list[RollupRow] = field(default_factory=list)
    spent: list[ChunkRow] = field(default_factory=list)
    stays: list[ChunkRow] = field(default_factory=list)
    damaged: list[ChunkRow] = field(default_factory=list)


def _make(days: Sequence[SeriesDay], found: Found, kept_from: int) -> Made:
    chunks, rollups = found
    made = Made()
    for series_id, day in days:
        time.sleep(0)  # as in sealing
        its = chunks.get((series_id, day), [])
        decoded = decode_sound([(chunk.span * SPAN_MS, chunk.data) for chunk in its])
        parts = [part for part in decoded if part is not None]
        sound = [chunk for chunk, part in zip(its, decoded, strict=True) if part is not None]
        made.damaged.extend(chunk for chunk in its if chunk not in sound)
        is_final = day < kept_from or any(
            row.is_final for width_s in (MINUTE_S, HOUR_S) if (row := rollups.get((series_id, day, width_s)))
        )
        for width_s in (MINUTE_S, HOUR_S) if is_final else (HOUR_S,):
            old = rollups.get((series_id, day, width_s))
            data = _rolled(parts, old, day, width_s)
            if data is not None:
                made.rollups.append(RollupRow(series_id, width_s, day, is_final, data))
        (made.spent if is_final else made.stays).extend(sound)
    return made


def _rolled(parts: Sequence[tuple[Signed, Floats]], old: RollupRow | None, day: int, width_s: int) -> bytes | None:
    start_ms = day * DAY_MS
    if not parts:
        return None if old is None else old.data
    columns = roll_up(from_samples(*merge_samples(*parts)), width_s * 1000)
    if old is not None and old.is_final:
        columns = combine(decode_columns(old.data, start_ms=start_ms), columns)
    return encode_columns(columns, start_ms=start_ms)


def _write(tx: Tx, made: Made, now: datetime) -> None:
    queries.put_rollups(tx, made.rollups)
    queries.settle_chunks(tx, made.spent, is_gone=True)
    queries.settle_chunks(tx, made.stays, is_gone=False)
    queries.settle_chunks(tx, made.damaged, is_gone=True)
    set_aside(tx, made.damaged, now=now)
