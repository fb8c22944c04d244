"""Samples out: newest from memory, then chunks, then roll-ups, as the range and the step ask for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from atalaia.core.errors import InvalidField
from atalaia.metrics.batches import unpack_batch
from atalaia.metrics.chunks import SPAN_MS, decode_sound
from atalaia.metrics.chunks.bits import Signed
from atalaia.metrics.chunks.codec import Floats
from atalaia.metrics.exposition import Samples
from atalaia.metrics.head import Head
from atalaia.metrics.model import MAX_SERIES, RangeQuery, SeriesPoints
from atalaia.metrics.postings import make_lookup
from atalaia.metrics.queries import samples as queries
from atalaia.metrics.queries import series as series_queries
from atalaia.metrics.queries.samples import ChunkRow
from atalaia.metrics.queries.series import SeriesRow
from atalaia.metrics.rollup import (
    DAY_MS,
    HOUR_MS,
    Columns,
    Merger,
    Steps,
    aggregate,
    decode_columns,
    from_samples,
    join_columns,
)
from atalaia.sdk.transaction import Tx

MINUTE_S, HOUR_S = 60, 3600
SPANS_A_DAY = DAY_MS // SPAN_MS
# Growth in the first step is counted from the sample before it, where one is not older than this.
LOOK_BACK_MS = 10 * 60 * 1000
_GROWTH = frozenset({"rate", "increase"})
_SIMPLE = frozenset({"avg", "min", "max", "sum", "count", "last"})


class Reader:
    def __init__(self, head: Head) -> None:
        self._head = head

    def query(self, tx: Tx, question: RangeQuery) -> list[SeriesPoints]:
        """The answer, a row for each series that has anything in the range.

        Raises:
            InvalidField: more series than one answer may have.
        """
        chosen = self.select(tx, question)
        columns = self.read_columns(tx, [row.id for row in chosen], question)
        answer: list[SeriesPoints] = []
        steps = Steps(from_ms=question.from_ms, to_ms=question.to_ms, step_ms=question.step_ms)
        for row in chosen:
            points = aggregate(columns[row.id], question.aggregation, steps)
            if len(points.at_ms):
                labels = dict(row.series.labels)
                answer.append(SeriesPoints(row.series.name, labels, points))
        return answer

    def select(self, tx: Tx, question: RangeQuery) -> list[SeriesRow]:
        """The series that are asked for, in order of id.

        Raises:
            InvalidField: more than one answer may have.
        """
        lookup = make_lookup(question.metric, question.selectors)
        fits = partial(_fits, question=question)
        if lookup.groups:
            ids = series_queries.ids_with(tx, lookup.groups)
            if lookup.is_whole:
                _check_number(len(ids))
            found = series_queries.by_ids(tx, ids, fits=fits)
        else:
            if not question.selectors:
                _check_number(series_queries.count_named(tx, question.metric))
            found = series_queries.named(tx, question.metric, fits=fits)
        _check_number(len(found))
        return found

    def read_columns(self, tx: Tx, series_ids: Sequence[int], question: RangeQuery) -> dict[int, Columns]:
        """What is known of the series in the range, in order of time."""
        from_ms, to_ms = question.from_ms, question.to_ms
        if question.aggregation in _GROWTH:
            from_ms -= LOOK_BACK_MS
        # The head before the chunks: what is sealed in between is then seen twice, and counted once.
        self.catch_up(tx)
        newest = self._head.find(series_ids, from_ms=from_ms, to_ms=to_ms)
        rolled = _read_rollups(tx, series_ids, question, from_ms)
        if _is_coarse(question):
            chunks = _read_what_is_not_rolled(tx, series_ids, (from_ms, to_ms), rolled, newest)
        else:
            chunks = queries.find_chunks(tx, series_ids, spans=_spans(from_ms, to_ms))
        parts = _decode(chunks)
        for series_id, samples in newest.items():
            parts.setdefault(series_id, []).append((samples.at_ms, samples.values))
        merger = Merger()
        return {each: _joined(rolled.get(each, {}), parts.get(each, []), merger) for each in series_ids}

    def catch_up(self, tx: Tx) -> None:
        """With several hubs on one database: take what others have put into the log, forget what was sealed."""
        if tx.dialect == "sqlite":
            return
        mine = self._head.log_ids()
        stored = queries.log_ids(tx)
        self._head.drop(mine - stored)
        for log_id, blob in queries.read_log_rows(tx, stored - mine):
            self._head.append(log_id, unpack_batch(blob))

    def load(self, tx: Tx) -> None:
        """Fill the head from the log, at the start."""
        for log_id, blob in queries.read_log_rows(tx, queries.log_ids(tx)):
            self._head.append(log_id, unpack_batch(blob))


Part = tuple[Signed, Floats]
RolledDays = dict[int, tuple[bool, Columns]]
"""By day: whether its samples are gone, and its roll-up."""


def _check_number(count: int) -> None:
    if count > MAX_SERIES:
        raise InvalidField(
            "labels",
            "labels: {count} series fit, more than {limit}",
            count=count,
            limit=MAX_SERIES,
            hint="Choose by more labels.",
        )


def _fits(row: SeriesRow, question: RangeQuery) -> bool:
    labels = dict(row.series.labels)
    return row.series.name == question.metric and all(selector.matches(labels) for selector in question.selectors)


def _is_coarse(question: RangeQuery) -> bool:
    return question.step_ms % HOUR_MS == 0 and question.from_ms % HOUR_MS == 0 and question.aggregation in _SIMPLE


def _read_rollups(tx: Tx, series_ids: Sequence[int], question: RangeQuery, from_ms: int) -> dict[int, RolledDays]:
    """Days by the hour where that is fine enough; else only those whose samples are gone, by the minute if possible."""
    days = (from_ms // DAY_MS, (question.to_ms - 1) // DAY_MS + 1)
    found: dict[int, RolledDays] = {}
    is_coarse = _is_coarse(question)
    # What is by the minute comes after what is by the hour, and replaces it.
    for row in queries.find_rollups(tx, series_ids, widths_s=(HOUR_S,) if is_coarse else (HOUR_S, MINUTE_S), days=days):
        if row.is_final or is_coarse:
            columns = decode_columns(row.data, start_ms=row.day * DAY_MS)
            found.setdefault(row.series_id, {})[row.day] = (row.is_final, columns)
    return found


def _read_what_is_not_rolled(
    tx: Tx,
    series_ids: Sequence[int],
    between_ms: tuple[int, int],
    rolled: dict[int, RolledDays],
    newest: dict[int, Samples],
) -> list[ChunkRow]:
    """Chunks that no roll-up has. A rolled day that something new has come for is read from its samples again."""
    spans = _spans(*between_ms)
    rows = queries.find_chunks(tx, series_ids, spans=spans, only_unrolled=True)
    changed = {(row.series_id, row.span // SPANS_A_DAY) for row in rows}
    changed |= {(each, day) for each, its in newest.items() for day in set((its.at_ms // DAY_MS).tolist())}
    again = {(each, day) for each, day in changed if day in rolled.get(each, {}) and not rolled[each][day][0]}
    rows = [row for row in rows if (row.series_id, row.span // SPANS_A_DAY) not in again]
    for series_id, day in sorted(again):
        del rolled[series_id][day]
        whole = (max(spans[0], day * SPANS_A_DAY), min(spans[1], (day + 1) * SPANS_A_DAY))
        rows += queries.find_chunks(tx, [series_id], spans=whole)
    return rows


def _spans(from_ms: int, to_ms: int) -> tuple[int, int]:
    return from_ms // SPAN_MS, (to_ms - 1) // SPAN_MS + 1


def _decode(rows: Sequence[ChunkRow]) -> dict[int, list[Part]]:
    """What can't be decoded is a gap; who seals or rolls up comes upon it too, and tells."""
    parts: dict[int, list[Part]] = {}
    decoded = decode_sound([(row.span * SPAN_MS, row.data) for row in rows])
    for row, part in zip(rows, decoded, strict=True):
        if part is not None:
            parts.setdefault(row.series_id, []).append(part)
    return parts


def _joined(rolled: RolledDays, parts: Sequence[Part], merger: Merger) -> Columns:
    raw = from_samples(*merger.merge(*parts)) if parts else join_columns([])
    if not rolled:
        return raw
    # Samples of a rolled day stand beside its roll-up: an aggregate of both is right, whatever their order within a step.
    joined = join_columns([*(columns for _, columns in rolled.values()), raw])
    order = joined.at_ms.argsort(kind="stable")
    if (np.diff(order) == 1).all():
        return joined
    return Columns(
        joined.at_ms[order],
        joined.counts[order],
        joined.total[order],
        joined.low[order],
        joined.high[order],
        joined.last[order],
    )
