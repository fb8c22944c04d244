"""The newest samples, in memory: all that the log holds, ready to be asked for."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence

import numpy as np

from atalaia.metrics.batches import join_samples
from atalaia.metrics.exposition import Samples


class Head:
    """Batches by their row in the log. Written after commits, read from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._new: dict[int, Sequence[Samples]] = {}
        # What was asked for once lies in one piece: the sizes of its batches, one after the other.
        self._folded: dict[int, int] = {}
        self._whole = join_samples([])
        self._samples = 0

    def __len__(self) -> int:
        return self._samples

    def append(self, log_id: int, blocks: Sequence[Samples]) -> None:
        with self._lock:
            if log_id not in self._new and log_id not in self._folded:
                self._new[log_id] = blocks
                self._samples += _count(blocks)

    def drop(self, log_ids: Collection[int]) -> None:
        """Forget what has become chunks."""
        with self._lock:
            for log_id in log_ids:
                self._samples -= _count(self._new.pop(log_id, ()))
            gone = self._folded.keys() & set(log_ids)
            if gone:
                stays = np.repeat([log_id not in gone for log_id in self._folded], list(self._folded.values()))
                self._whole = self._whole.pick(stays)
                self._samples -= sum(self._folded.pop(log_id) for log_id in gone)

    def log_ids(self) -> set[int]:
        with self._lock:
            return self._new.keys() | self._folded.keys()

    def find(self, series_ids: Sequence[int], *, from_ms: int, to_ms: int) -> dict[int, Samples]:
        """The samples of these series in [from_ms, to_ms), in order of arrival."""
        samples = self._all()
        chosen = np.isin(samples.series_ids, series_ids)
        chosen &= (samples.at_ms >= from_ms) & (samples.at_ms < to_ms)
        return split_by_series(samples.pick(chosen))

    def _all(self) -> Samples:
        with self._lock:
            if self._new:
                self._whole = join_samples([self._whole, *(block for blocks in self._new.values() for block in blocks)])
                self._folded.update((log_id, _count(blocks)) for log_id, blocks in self._new.items())
                self._new.clear()
            return self._whole


def _count(blocks: Sequence[Samples]) -> int:
    return sum(map(len, blocks))


def split_by_series(samples: Samples) -> dict[int, Samples]:
    """Each series' samples, in their former order."""
    if not len(samples):
        return {}
    order = samples.series_ids.argsort(kind="stable")
    ordered = samples.pick(order)
    begins = np.flatnonzero(np.diff(ordered.series_ids, prepend=-1))
    ends = [*begins[1:].tolist(), len(order)]
    return {
        int(ordered.series_ids[begin]): ordered.pick(slice(begin, end))
        for begin, end in zip(begins.tolist(), ends, strict=True)
    }
