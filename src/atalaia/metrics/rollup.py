"""Many samples to few numbers: roll-ups by minute and hour, and the steps of a range query. Pure, on numpy columns.

A NaN is a gap: it counts nowhere.
"""

from __future__ import annotations

from operator import is_not
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from atalaia.metrics.chunks.bits import Signed, get_varint, put_varint
from atalaia.metrics.chunks.codec import Floats, get_values, put_values
from atalaia.metrics.chunks.columns import get_integers
from atalaia.metrics.chunks.integers import put_integers
from atalaia.metrics.errors import BadChunk

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
VERSION = 1
_ONE = np.ones(1, np.int64)
_PERCENT = {"p50": 0.50, "p95": 0.95, "p99": 0.99}

Aggregation = Literal["avg", "min", "max", "sum", "count", "last", "p50", "p95", "p99", "rate", "increase"]
AGGREGATIONS: tuple[Aggregation, ...] = (
    "avg",
    "min",
    "max",
    "sum",
    "count",
    "last",
    "p50",
    "p95",
    "p99",
    "rate",
    "increase",
)


class Columns(NamedTuple):
    """Spans of one series in order of time: where each begins (ms), and what is in it; a sample is a span of one."""

    at_ms: Signed
    counts: Signed
    total: Floats
    low: Floats
    high: Floats
    last: Floats

    def __len__(self) -> int:
        return len(self.at_ms)


class Points(NamedTuple):
    """The answer for one series: beginnings of the steps that hold something (ms), and their values."""

    at_ms: Signed
    values: Floats


def from_samples(at_ms: Signed, values: Floats) -> Columns:
    present = values == values  # noqa: PLR0124 false for NaN, and faster than isnan with a copy
    if not present.all():
        at_ms, values = at_ms[present], values[present]
    return Columns(at_ms, np.ndarray((len(values),), np.int64, _ONE, 0, (0,)), values, values, values, values)


def merge_samples(*parts: tuple[Signed, Floats]) -> tuple[Signed, Floats]:
    """All samples in order of time; of those with one time the one that came last counts. At least one part."""
    at_ms = np.concatenate([part[0] for part in parts])
    values = np.concatenate([part[1] for part in parts])
    if (at_ms[1:] > at_ms[:-1]).all():
        return at_ms, values
    order = at_ms.argsort(kind="stable")
    at_ms, values = at_ms[order], values[order]
    is_last = np.append(at_ms[1:] != at_ms[:-1], True)
    return at_ms[is_last], values[is_last]


class Merger:
    """`merge_samples` for one series after the other: what share their times get the same merged times, reckoned once."""

    def __init__(self) -> None:
        self._former: list[Signed] = []
        self._times: Signed | None = None  # of those, where they follow one another

    def merge(self, *parts: tuple[Signed, Floats]) -> tuple[Signed, Floats]:
        times = [at_ms for at_ms, _ in parts]
        if len(times) != len(self._former) or any(map(is_not, times, self._former)):
            at_ms = np.concatenate(times)
            self._former, self._times = times, at_ms if (at_ms[1:] > at_ms[:-1]).all() else None
        if self._times is None:
            return merge_samples(*parts)
        return self._times, np.concatenate([values for _, values in parts])


def roll_up(columns: Columns, width_ms: int) -> Columns:
    """Spans of `width_ms`, aligned to the epoch."""
    if not len(columns):
        return columns
    at_ms = columns.at_ms - columns.at_ms % width_ms
    starts = _starts(at_ms)
    total = np.add.reduceat(columns.total, starts)
    return Columns(
        at_ms[starts],
        np.add.reduceat(columns.counts, starts),
        _without_noise(total, columns.total),
        np.minimum.reduceat(columns.low, starts),
        np.maximum.reduceat(columns.high, starts),
        columns.last[_ends(starts, len(at_ms))],
    )


def combine(old: Columns, new: Columns) -> Columns:
    """Roll-ups of one width, of samples that are not in both, as one."""
    joined = join_columns([old, new])
    order = joined.at_ms.argsort(kind="stable")
    at_ms = joined.at_ms[order]
    if not len(at_ms):
        return joined
    starts = _starts(at_ms)
    return Columns(
        at_ms[starts],
        np.add.reduceat(joined.counts[order], starts),
        np.add.reduceat(joined.total[order], starts),
        np.minimum.reduceat(joined.low[order], starts),
        np.maximum.reduceat(joined.high[order], starts),
        joined.last[order][_ends(starts, len(at_ms))],
    )


class _Places(NamedTuple):
    """Where the steps are in a column of times: its rows that are in the range, the first row of each step, and its beginning."""

    rows: slice
    starts: NDArray[np.intp]
    begins: Signed


class Steps:
    """The steps of an answer: that at t covers [t, t + step_ms), t counted from `from_ms`; up to `to_ms`, exclusive."""

    def __init__(self, *, from_ms: int, to_ms: int, step_ms: int) -> None:
        self.from_ms, self.to_ms, self.step_ms = from_ms, to_ms, step_ms
        self._former: tuple[Signed, _Places] | None = None

    def places(self, at_ms: Signed) -> _Places:
        """Reckoned once for series that share their column of times."""
        if self._former is None or self._former[0] is not at_ms:
            first, last = at_ms.searchsorted((self.from_ms, self.to_ms)).tolist()
            steps = (at_ms[first:last] - self.from_ms) // self.step_ms
            starts = _starts(steps) if len(steps) else np.zeros(0, np.intp)
            self._former = at_ms, _Places(slice(first, last), starts, steps[starts] * self.step_ms + self.from_ms)
        return self._former[1]


def aggregate(columns: Columns, aggregation: Aggregation, steps: Steps) -> Points:
    """One value a step that holds something.

    For rate (per second) and increase give also what was before the first step: its growth is counted from it. A counter
    that falls has begun anew. Percentiles of roll-ups are those of their spans' means.
    """
    if aggregation in {"rate", "increase"}:
        return _growth(columns, aggregation == "rate", steps)
    places = steps.places(columns.at_ms)
    inside = _cut(columns, places.rows)
    if not len(inside):
        return Points(inside.at_ms, inside.total)
    if len(places.starts) == len(inside) and inside.total is inside.last and aggregation != "count":
        # Samples as far apart as the steps: each is its step's value.
        return Points(places.begins, inside.total)
    return Points(places.begins, _values(inside, aggregation, places.starts))


def _cut(columns: Columns, rows: slice) -> Columns:
    if rows == slice(0, len(columns)):
        return columns
    at_ms, counts, total, low, high, final = columns
    if total is final:  # samples: one column stands for four
        total = low = high = final = total[rows]
        return Columns(at_ms[rows], counts[rows], total, low, high, final)
    return Columns(at_ms[rows], counts[rows], total[rows], low[rows], high[rows], final[rows])


def _values(columns: Columns, aggregation: Aggregation, starts: NDArray[np.intp]) -> Floats:
    if aggregation == "min":
        return np.minimum.reduceat(columns.low, starts)
    if aggregation == "max":
        return np.maximum.reduceat(columns.high, starts)
    if aggregation == "last":
        return columns.last[_ends(starts, len(columns))]
    if aggregation in _PERCENT:
        return _percentile(columns.total / columns.counts, starts, _PERCENT[aggregation])
    if aggregation == "sum":
        return np.add.reduceat(columns.total, starts)
    counts = np.add.reduceat(columns.counts, starts).astype(np.float64)
    return counts if aggregation == "count" else np.add.reduceat(columns.total, starts) / counts


def _percentile(values: Floats, starts: NDArray[np.intp], share: float) -> Floats:
    """Linear between the two nearest, as numpy's own default."""
    sizes = np.diff(starts, append=len(values))
    groups = np.repeat(np.arange(len(starts)), sizes)
    ordered = values[np.lexsort((values, groups))]
    places = starts + (sizes - 1) * share
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, starts + sizes - 1)
    low, high = ordered[below], ordered[above]
    part = places - below
    # Equal neighbours stay what they are: infinities, and no rounding of a constant.
    with np.errstate(invalid="ignore"):
        between_them: Floats = np.where(low == high, low, low + (high - low) * part)
    return between_them


def _growth(columns: Columns, is_rate: bool, steps: Steps) -> Points:
    before, after = columns.at_ms.searchsorted((steps.from_ms, steps.to_ms)).tolist()
    columns = _cut(columns, slice(max(0, before - 1), after))
    if len(columns) < 2:  # noqa: PLR2004 growth is between two
        return Points(np.zeros(0, np.int64), np.zeros(0, np.float64))
    last = columns.last
    grown = np.where(last[1:] >= last[:-1], last[1:] - last[:-1], last[1:])
    numbers = (columns.at_ms[1:] - steps.from_ms) // steps.step_ms
    starts = _starts(numbers)
    values = np.add.reduceat(grown, starts)
    if is_rate:
        values = values / (steps.step_ms / 1000)
    return Points(numbers[starts] * steps.step_ms + steps.from_ms, values)


def _starts(groups: Signed) -> NDArray[np.intp]:
    """Where each run of equal numbers begins; of at least one."""
    changes = (groups[1:] != groups[:-1]).nonzero()[0] + 1
    return np.concatenate((np.zeros(1, np.intp), changes))


def _ends(starts: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    return np.append(starts[1:], count) - 1


def _without_noise(total: Floats, values: Floats) -> Floats:
    """Sums of prices are prices: 0.1 + 0.2 is stored as 0.3 where six decimals say all of the summands."""
    with np.errstate(all="ignore"):
        is_plain = bool((np.abs(values) < 1e6).all()) and bool((np.round(values, 6) == values).all())  # noqa: PLR2004
        return np.round(total, 6) if is_plain else total


def encode_columns(columns: Columns, *, start_ms: int) -> bytes:
    """Roll-ups of one series as one blob."""
    out = bytearray([VERSION])
    put_varint(out, len(columns))
    put_integers(out, columns.at_ms - start_ms)
    put_integers(out, columns.counts)
    for column in (columns.total, columns.low, columns.high, columns.last):
        put_values(out, column)
    return bytes(out)


def decode_columns(blob: bytes, *, start_ms: int) -> Columns:
    """What `encode_columns` wrote.

    Raises:
        BadChunk: another version wrote it, or it is damaged.
    """
    if not blob or blob[0] != VERSION:
        raise BadChunk("roll-ups were written by another version")
    try:
        length, at = get_varint(blob, 1)
        at_ms, at = get_integers(blob, at, length)
        count, at = get_integers(blob, at, length)
        columns = []
        for _ in range(4):
            column, at = get_values(blob, at, length)
            columns.append(column)
    except (IndexError, ValueError, ArithmeticError) as error:
        raise BadChunk("stored roll-ups are damaged") from error
    return Columns(at_ms + start_ms, count, *columns)


def join_columns(parts: list[Columns]) -> Columns:
    """Parts that follow one another in time, as one; of at least none."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return from_samples(np.zeros(0, np.int64), np.zeros(0, np.float64))
    return Columns(
        np.concatenate([part.at_ms for part in parts]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.total for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([part.last for part in parts]),
    )
