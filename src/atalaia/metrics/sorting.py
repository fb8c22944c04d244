"""From samples as they came to parts: one series over one span of a chunk.

Senders name the same series again and again, and give all lines of a body one time. Such bodies are the rows of a matrix,
whose columns are the series: nothing needs to be sorted but the rows. All else is sorted sample by sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from atalaia.metrics.batches import join_samples
from atalaia.metrics.chunks import SPAN_MS
from atalaia.metrics.chunks.bits import Signed
from atalaia.metrics.chunks.codec import Floats
from atalaia.metrics.exposition import Samples
from atalaia.metrics.head import split_by_series
from atalaia.metrics.rollup import merge_samples

# Fewer bodies or shorter ones are as quickly sorted with the rest.
MIN_ROWS, MIN_COLUMNS = 4, 4


class Part(NamedTuple):
    """The samples of a series in a span, in order of time; of equal times, the one that came last."""

    series_id: int
    span: int
    at_ms: Signed
    values: Floats


def sort_into_parts(blocks: Sequence[Samples]) -> list[Part]:
    """All that the blocks hold, given in order of arrival; those of one span and sender stand together."""
    matrices, rest = _find_matrices(blocks)
    parts = [part for rows in matrices for part in _parts_of_matrix(rows)]
    for series_id, its in split_by_series(join_samples(rest)).items():
        at_ms, values = merge_samples((its.at_ms, its.values))
        parts.extend(Part(series_id, span, at_ms[some], values[some]) for span, some in _spans(at_ms))
    return parts


Shapes = dict[bytes, list[Samples]]


def _find_matrices(blocks: Sequence[Samples]) -> tuple[list[list[Samples]], list[Samples]]:
    """Groups of blocks of the same series at one time each, and the blocks that are in none."""
    shapes: Shapes = {}
    keys: dict[int, bytes] = {}  # blocks of one shape mostly share the very array
    key_of: list[bytes] = []
    for block in blocks:
        key = b""
        if block.has_one_time and len(block) >= MIN_COLUMNS:
            key = keys.setdefault(id(block.series_ids), b"") or block.series_ids.tobytes()
            keys[id(block.series_ids)] = key
        key_of.append(key)
        shapes.setdefault(key, []).append(block)
    regular = {key for key in _unmixed(shapes) if key and len(shapes[key]) >= MIN_ROWS}
    rest = [block for block, key in zip(blocks, key_of, strict=True) if key not in regular]
    return [rows for key, rows in shapes.items() if key in regular], rest


def _unmixed(shapes: Shapes) -> set[bytes]:
    """Shapes whose series are named once, and in no other: what comes from two sides has to be put in order of arrival."""
    keys = [key for key in shapes if key]
    if not keys:
        return set()
    named = [shapes[key][0].series_ids for key in keys]
    others = [np.unique(np.concatenate([block.series_ids for block in shapes[b""]]))] if b"" in shapes else []
    flat = np.concatenate(named)
    ids, counts = np.unique(np.concatenate([flat, *others]), return_counts=True)
    begins = np.cumsum([0, *map(len, named[:-1])])
    is_mixed = np.logical_or.reduceat(np.isin(flat, ids[counts > 1]), begins)
    return {key for key, mixed in zip(keys, is_mixed.tolist(), strict=True) if not mixed}


def _parts_of_matrix(rows: Sequence[Samples]) -> Iterator[Part]:
    times = np.array([row.at_ms[0] for row in rows], np.int64)
    order = times.argsort(kind="stable")
    times = times[order]
    order = order[np.append(times[1:] != times[:-1], True)]
    columns = np.ascontiguousarray(np.array([rows[place].values for place in order.tolist()]).T)
    for span, some in _spans(times := np.unique(times)):
        at_ms = times[some]
        for series_id, column in zip(rows[0].series_ids.tolist(), columns, strict=True):
            yield Part(series_id, span, at_ms, column[some])


def _spans(at_ms: Signed) -> Iterator[tuple[int, slice]]:
    """The spans that times in their order are in, and where."""
    spans = at_ms // SPAN_MS
    begins = np.flatnonzero(np.diff(spans, prepend=-1))
    for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(spans)], strict=True):
        yield int(spans[begin]), slice(begin, end)
