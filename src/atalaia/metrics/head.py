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
        self._batches: dict[int, Samples] = {}
        self._folded: list[Samples] = []
        self._samples = 0

    def __len__(self) -> int:
        return self._samples

    def append(self, log_id: int, samples: Samples) -> None:
        with self._lock:
            if log_id not in self._batches:
                self._batches[log_id] = samples
                self._folded.append(samples)
                self._samples += len(samples)

    def drop(self, log_ids: Collection[int]) -> None:
        """Forget what has become chunks."""
        with self._lock:
            for log_id in log_ids:
                gone = self._batches.pop(log_id, None)
                self._samples -= 0 if gone is None else len(gone)
            self._folded = list(self._batches.values())

    def log_ids(self) -> set[int]:
        with self._lock:
            return set(self._batches)

    def find(self, series_ids: Sequence[int], *, from_ms: int, to_ms: int) -> dict[int, Samples]:
        """The samples of these series in [from_ms, to_ms), in order of arrival."""
        samples = self._all()
        chosen = np.isin(samples.series_ids, series_ids)
        chosen &= (samples.at_ms >= from_ms) & (samples.at_ms < to_ms)
        return split_by_series(samples.pick(chosen))

    def _all(self) -> Samples:
        with self._lock:
            samples = join_samples(self._folded)
            if len(self._folded) > 1:
                self._folded = [samples]
            return samples


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
