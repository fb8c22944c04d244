"""Samples of many series as one blob: a row of the log, or of the forwarding queue.

Columns one after the other: series (differences, int32), times (differences, int64), values; then zstd at its quickest.
Everything is little-endian.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import zstandard

from atalaia.metrics.errors import BadChunk
from atalaia.metrics.exposition import Samples

VERSION = 1
_LEVEL = -1
_ROW_BYTES = 20  # int32, int64, float64


class _Codecs(threading.local):
    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self.decompress = zstandard.ZstdDecompressor().decompress


_codecs = _Codecs()


def pack_batch(samples: Samples) -> bytes:
    ids = np.diff(samples.series_ids, prepend=0).astype("<i4")
    times = np.diff(samples.at_ms, prepend=0).astype("<i8")
    values = samples.values.astype("<f8", copy=False)
    return bytes([VERSION]) + _codecs.compress(ids.tobytes() + times.tobytes() + values.tobytes())


def unpack_batch(blob: bytes) -> Samples:
    """What `pack_batch` wrote.

    Raises:
        BadChunk: another version wrote it, or it is damaged.
    """
    if not blob or blob[0] != VERSION:
        raise BadChunk("a batch of samples was written by another version")
    try:
        raw = _codecs.decompress(blob[1:])
    except zstandard.ZstdError as error:
        raise BadChunk("a batch of samples is damaged") from error
    count = len(raw) // _ROW_BYTES
    ids = np.frombuffer(raw, "<i4", count).cumsum(dtype=np.int64)
    times = np.frombuffer(raw, "<i8", count, 4 * count).cumsum(dtype=np.int64)
    return Samples(ids, times, np.frombuffer(raw, "<f8", count, 12 * count))


def join_samples(parts: Sequence[Samples]) -> Samples:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float64))
    return Samples(
        np.concatenate([part.series_ids for part in parts]),
        np.concatenate([part.at_ms for part in parts]),
        np.concatenate([part.values for part in parts]),
    )
