"""Samples of many series as one blob: a row of the log, or of the forwarding queue.

A batch is some blocks (bodies, mostly), and what they share is said once: the series, where a sender names the same ones
again, and the time, where all lines of a body have one. Layout: version; then through zstd at its quickest: number of
blocks, for each its length and what is shared, and for each its columns: series (differences, int32), times (int64,
differences, or the one), values. Everything is little-endian. Version 1 was one block, with all columns.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import zstandard
from numpy.typing import NDArray

from atalaia.metrics.errors import BadChunk
from atalaia.metrics.exposition import Samples

VERSION = 2
_OLD_VERSION = 1
_LEVEL = -1
_OLD_ROW_BYTES = 20  # int32, int64, float64
_SAME_SERIES, _ONE_TIME = 1, 2
_FLAG_BITS = 2


class _Codecs(threading.local):
    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_codecs = _Codecs()


def pack_batch(blocks: Sequence[Samples]) -> bytes:
    heads: list[int] = []
    columns: list[memoryview] = []
    former: NDArray[np.int64] | None = None
    for block in blocks:
        flags = 0
        ids = block.series_ids
        if former is not None and (ids is former or np.array_equal(ids, former)):
            flags |= _SAME_SERIES
        else:
            columns.append(_differences(ids, "<i4"))
        former = ids
        if block.has_one_time:
            flags |= _ONE_TIME
            columns.append(block.at_ms[:1].astype("<i8").data)
        else:
            columns.append(_differences(block.at_ms, "<i8"))
        columns.append(np.ascontiguousarray(block.values, "<f8").data)
        heads.append(len(block) << _FLAG_BITS | flags)
    head = np.array([len(blocks), *heads], "<u4")
    return bytes([VERSION]) + _codecs.compress(b"".join((head.data, *columns)))


def _differences(numbers: NDArray[np.int64], dtype: str) -> memoryview:
    differences = np.empty(len(numbers), dtype)
    differences[:1] = numbers[:1]
    np.subtract(numbers[1:], numbers[:-1], out=differences[1:], casting="same_kind")
    return differences.data


def unpack_batch(blob: bytes) -> list[Samples]:
    """The blocks that `pack_batch` was given, none of them empty.

    Raises:
        BadChunk: another version wrote it, or it is damaged.
    """
    if not blob or blob[0] not in {_OLD_VERSION, VERSION}:
        raise BadChunk("a batch of samples was written by another version")
    try:
        raw = _codecs.decompress(memoryview(blob)[1:])
        blocks = _read_blocks(raw) if blob[0] == VERSION else [_read_old(raw)]
    except (zstandard.ZstdError, ValueError, IndexError) as error:
        raise BadChunk("a batch of samples is damaged") from error
    return [block for block in blocks if len(block)]


def _read_blocks(raw: bytes) -> list[Samples]:
    number = int(np.frombuffer(raw, "<u4", 1)[0])
    heads = np.frombuffer(raw, "<u4", number, 4).tolist()
    at = 4 + 4 * number
    blocks: list[Samples] = []
    ids = np.zeros(0, np.int64)
    for head in heads:
        count = head >> _FLAG_BITS
        if not head & _SAME_SERIES:
            ids = np.frombuffer(raw, "<i4", count, at).cumsum(dtype=np.int64)
            at += 4 * count
        if head & _ONE_TIME:
            times = np.broadcast_to(np.frombuffer(raw, "<i8", 1, at), count)
            at += 8
        else:
            times = np.frombuffer(raw, "<i8", count, at).cumsum(dtype=np.int64)
            at += 8 * count
        # A copy: a block must not hold the whole batch in memory.
        blocks.append(Samples(ids, times, np.frombuffer(raw, "<f8", count, at).copy()))
        at += 8 * count
    return blocks


def _read_old(raw: bytes) -> Samples:
    count = len(raw) // _OLD_ROW_BYTES
    ids = np.frombuffer(raw, "<i4", count).cumsum(dtype=np.int64)
    times = np.frombuffer(raw, "<i8", count, 4 * count).cumsum(dtype=np.int64)
    return Samples(ids, times, np.frombuffer(raw, "<f8", count, 12 * count))


def join_samples(blocks: Sequence[Samples]) -> Samples:
    if len(blocks) == 1:
        return blocks[0]
    if not blocks:
        return Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64))
    return Samples(
        np.concatenate([block.series_ids for block in blocks]),
        np.concatenate([block.at_ms for block in blocks]),
        np.concatenate([block.values for block in blocks]),
    )
