"""Text exposition in, arrays out: one row a sample.

A sender repeats the same series in every body, so nearly all the work is done on whole columns: one split, one look-up
of the shape of the body (the list of its series, compared in one go), one conversion of each column. Whatever is not of
that regular form goes line by line, and what is not known yet is read with care (`lines`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from atalaia.metrics.errors import BadLine
from atalaia.metrics.exposition.lines import MAX_AT_MS, Metadata, read_at_ms, read_comment, read_line, read_value
from atalaia.metrics.series import Series

MAX_KNOWN = 400_000
MAX_SHAPES = 256
UNKNOWN = -1
_VISIBLE = bytes(range(33, 256))

_floats = msgspec.json.Decoder(list[float])
_integers = msgspec.json.Decoder(list[int])


class Rejected(msgspec.Struct, frozen=True):
    """A line that was not taken: its number, counted from 1, and the reason."""

    line: int
    why: str


class NewSeries(NamedTuple):
    """A series that the reader did not know: the rows that belong to it, and the spelling to learn."""

    key: bytes
    series: Series
    rows: list[int]


class Samples(NamedTuple):
    """Columns of one length: series id (int64; -1 where it is new), time (int64 ms), value (float64).

    Where all lines of a body have one time it is there once, as a broadcast column. Columns may be shared: don't write to them.
    """

    series_ids: NDArray[np.int64]
    at_ms: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.series_ids)

    @property
    def has_one_time(self) -> bool:
        """Whether `at_ms` is one time, broadcast."""
        return self.at_ms.strides[0] == 0

    def pick(self, rows: NDArray[Any] | slice) -> Samples:
        """Some of the rows, by a mask, an order or a slice."""
        return Samples(self.series_ids[rows], self.at_ms[rows], self.values[rows])


class Parsed(NamedTuple):
    """What a body says; `lines` holds the line numbers of the rows, where these are not simply the first, second and so on."""

    samples: Samples
    unknown: dict[bytes, NewSeries]
    rejected: list[Rejected]
    metadata: list[Metadata]
    lines: list[int] | None

    @property
    def is_regular(self) -> bool:
        """Whether every line is a sample of a known series; there is one at least."""
        return self.lines is None

    def line_of(self, row: int) -> int:
        return row + 1 if self.lines is None else self.lines[row]


class KnownSeries:
    """Ids by spelling, and whole bodies' worth of them by shape. Read on the event loop, taught by the writer."""

    def __init__(self) -> None:
        self.by_key: dict[bytes, int] = {}
        self._lock = threading.Lock()
        self._shapes: dict[tuple[int, bytes, bytes], tuple[list[bytes], NDArray[np.int64]]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self.by_key

    def learn(self, key: bytes, series_id: int) -> None:
        with self._lock:
            if len(self.by_key) >= MAX_KNOWN:
                self._clear()
            self.by_key[key] = series_id

    def forget(self) -> None:
        """Drop what is known; it fills again."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self.by_key.clear()
        self._shapes.clear()

    def find(self, keys: list[bytes]) -> NDArray[np.int64] | None:
        """The ids of all the keys, or nothing where one of them is new."""
        place = (len(keys), keys[0], keys[-1])
        shape = self._shapes.get(place)
        if shape is not None and shape[0] == keys:
            return shape[1]
        try:
            ids = np.fromiter(map(self.by_key.__getitem__, keys), np.int64, len(keys))
        except KeyError:
            return None
        ids.setflags(write=False)
        with self._lock:
            if len(self._shapes) >= MAX_SHAPES:
                self._shapes.pop(next(iter(self._shapes)))
            self._shapes[place] = (keys, ids)
        return ids


def parse(body: bytes, known: KnownSeries, *, default_at_ms: int) -> Parsed:
    """Read a body of text exposition; a sample without a time gets `default_at_ms`.

    Never raises: lines that can't be read are in `rejected`, the others are kept. A missing last line end is tolerated.
    """
    if body and not body.endswith(b"\n"):
        body += b"\n"
    samples = _parse_columns(body, known, default_at_ms) if body else None
    if samples is not None:
        return Parsed(samples, {}, [], [], None)
    return _LineReader(known, default_at_ms).read(body)


def _parse_columns(body: bytes, known: KnownSeries, default_at_ms: int) -> Samples | None:
    width, lines = _fields_and_lines(body)
    tokens = body.split() if width else []
    # With so many blanks there are as many fields only where none of them is empty.
    if not tokens or len(tokens) != width * lines:
        return None
    ids = known.find(tokens[0::width])
    if ids is None:
        return None
    values = _read_values(tokens[1::width])
    at_ms = _one_time(default_at_ms, lines) if width == 2 else _read_times(tokens[2::width])  # noqa: PLR2004
    if values is None or at_ms is None:
        return None
    return Samples(ids, at_ms, values)


def _fields_and_lines(body: bytes) -> tuple[int, int]:
    """2 or 3, and the number of lines, when each of them has that many fields with one blank between; else 0, 0."""
    gaps = body.translate(None, _VISIBLE)
    width = gaps.find(b"\n", 0, 3) + 1
    if width < 2 or len(gaps) % width:  # noqa: PLR2004 a series and a value at least
        return 0, 0
    lines = len(gaps) // width
    if gaps != (b" " * (width - 1) + b"\n") * lines:
        return 0, 0
    return width, lines


def _read_values(tokens: Sequence[bytes]) -> NDArray[np.float64] | None:
    joined = b",".join(tokens)
    # The JSON reader is three times as fast as float(); it takes -0 for an integer, and knows no NaN, Inf, 1. or +1.
    if b"-0," not in joined and not joined.endswith(b"-0"):
        try:
            return np.array(_floats.decode(b"[%b]" % joined))
        except msgspec.DecodeError:
            pass
    try:
        return np.array([read_value(token) for token in tokens])
    except BadLine:
        return None


def times_of(times: Sequence[int]) -> NDArray[np.int64]:
    """A column of times, broadcast where it is one."""
    if times and times.count(times[0]) == len(times):
        return _one_time(times[0], len(times))
    return np.array(times, np.int64)


def _one_time(at_ms: int, count: int) -> NDArray[np.int64]:
    return np.ndarray((count,), np.int64, np.array([at_ms], np.int64), 0, (0,))


def _read_times(tokens: Sequence[bytes]) -> NDArray[np.int64] | None:
    try:
        if tokens.count(tokens[0]) == len(tokens):
            return _one_time(read_at_ms(tokens[0]), len(tokens))
        times = np.array(_integers.decode(b"[%b]" % b",".join(tokens)), np.int64)
    except (BadLine, msgspec.DecodeError, OverflowError):
        return None
    if times.min() < 0 or times.max() > MAX_AT_MS:
        return None
    return times


class _LineReader:
    """The careful way: line by line; a spelling that is known spares the parsing of its labels."""

    def __init__(self, known: KnownSeries, default_at_ms: int) -> None:
        self._ids_by_key = known.by_key
        self._default_at_ms = default_at_ms
        self._ids: list[int] = []
        self._lines: list[int] = []
        self._times: list[int] = []
        self._values: list[float] = []
        self._unknown: dict[bytes, NewSeries] = {}
        self._rejected: list[Rejected] = []
        self._metadata: list[Metadata] = []

    def read(self, body: bytes) -> Parsed:
        for number, raw in enumerate(body.split(b"\n"), 1):
            line = raw[:-1] if raw.endswith(b"\r") else raw
            try:
                self._read_one(number, line)
            except BadLine as error:
                self._rejected.append(Rejected(number, error.message))
        samples = Samples(np.array(self._ids, np.int64), times_of(self._times), np.array(self._values, np.float64))
        return Parsed(samples, self._unknown, self._rejected, self._metadata, self._lines)

    def _read_one(self, number: int, raw: bytes) -> None:
        fields = raw.split()
        if not fields:
            return
        if fields[0].startswith(b"#"):
            metadata = read_comment(raw)
            if metadata is not None:
                self._metadata.append(metadata)
            return
        series_id = self._ids_by_key.get(fields[0]) if len(fields) in (2, 3) else None
        if series_id is not None:
            at_ms = read_at_ms(fields[2]) if len(fields) == 3 else None  # noqa: PLR2004 series, value, time
            self._add(series_id, read_value(fields[1]), at_ms)
        else:
            line = read_line(raw)
            self._add(self._identify(line.key, line.series), line.value, line.at_ms)
        self._lines.append(number)

    def _identify(self, key: bytes, series: Series) -> int:
        series_id = self._ids_by_key.get(key)
        if series_id is not None:
            return series_id
        new = self._unknown.get(key)
        if new is None:
            new = self._unknown[key] = NewSeries(key, series, [])
        new.rows.append(len(self._ids))
        return UNKNOWN

    def _add(self, series_id: int, value: float, at_ms: int | None) -> None:
        self._ids.append(series_id)
        self._values.append(value)
        self._times.append(self._default_at_ms if at_ms is None else at_ms)
