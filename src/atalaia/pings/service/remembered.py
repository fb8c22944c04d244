"""The ids of the newest pings, in 8 bytes each: whether one came before, without asking the store.

The youngest stand in a set; a full set becomes a sorted array, of which the oldest is forgotten when there are too many.
What is remembered is a keyed hash of the id: that of two million another has the same is one in a trillion.
"""

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

YOUNG = 65_536
ARRAYS = 32

Hashes = npt.NDArray[np.int64]


class Remembered:
    def __init__(self, *, young: int = YOUNG, arrays: int = ARRAYS) -> None:
        self._most_young = young
        self._most_arrays = arrays
        self._young: set[int] = set()
        self._arrays: list[Hashes] = []

    @property
    def limit(self) -> int:
        return self._most_young * self._most_arrays

    def known(self, hashes: Collection[int]) -> set[int]:
        """Those of them that came before."""
        found = self._young.intersection(hashes)
        if self._arrays:
            asked = np.fromiter(hashes, np.int64, len(hashes))
            for each in self._arrays:
                places = np.minimum(each.searchsorted(asked), each.size - 1)
                hits = asked[each[places] == asked]
                if hits.size:
                    found.update(hits.tolist())
        return found

    def add(self, hashes: Iterable[int]) -> None:
        self._young.update(hashes)
        if len(self._young) >= self._most_young:
            self._arrays.append(np.sort(np.fromiter(self._young, np.int64, len(self._young))))
            self._young = set()
            del self._arrays[: -self._most_arrays]
