"""Samples of one series over a span of two hours, as one blob.

Layout: version (1), count, times relative to the span's start, then the values: decimals (numbers of so many decimals,
as integers) or raw. What is no such decimal (NaN with its bits, infinities, -0.0, a stray 1/3) stands apart in patches, so
that every value comes back bit for bit. See docs/decisions/0004-samples.md for the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import zstandard
from numpy.typing import NDArray

from atalaia.metrics.chunks.bits import Signed, get_varint, put_varint
from atalaia.metrics.chunks.columns import Column, expand, find_column, get_integers
from atalaia.metrics.chunks.integers import put_constant, put_integers
from atalaia.metrics.errors import BadChunk

VERSION = 1
SPAN_MS = 2 * 3600 * 1000

Floats = NDArray[np.float64]
Shape = tuple[int, int, int, int]

# Values: 0 to 15 are decimals; with this bit patches follow (of 15 decimals never: that would read as RAW); RAW are the bits,
# each xor the one before.
_PATCHED = 0x10
_RAW = 0x1F
_MAX_DECIMALS = 15
# Values that are expanded at once: their columns stay in the processor's cache, and below what is mapped anew each time.
_AT_ONCE = 16_000
_EXACT = 2**53
_TENS = 10.0 ** np.arange(_MAX_DECIMALS + 1)


def span_start_ms(at_ms: int) -> int:
    return at_ms - at_ms % SPAN_MS


def encode(at_ms: Signed, values: Floats, *, start_ms: int) -> bytes:
    """A chunk of samples in order of time; as many times as values, at least one."""
    return encode_times(at_ms, start_ms=start_ms) + encode_values(values)


def encode_times(at_ms: Signed, *, start_ms: int) -> bytes:
    """What chunks of these times begin with; `encode_values` gives the rest."""
    out = bytearray([VERSION])
    put_varint(out, len(at_ms))
    block = _shared_block((at_ms - start_ms).tobytes())
    put_varint(out, len(block))
    return bytes(out) + block


def encode_values(values: Floats) -> bytes:
    out = bytearray()
    put_values(out, values)
    return bytes(out)


def decode(blob: bytes, *, start_ms: int) -> tuple[Signed, Floats]:
    """Times in ms since the epoch, and values.

    Raises:
        BadChunk: the blob is of an unknown version, or damaged.
    """
    return decode_many([(start_ms, blob)])[0]


def decode_sound(blobs: Sequence[tuple[int, bytes]]) -> list[tuple[Signed, Floats] | None]:
    """As `decode_many`, with None in the place of what can't be decoded."""
    try:
        return list(decode_many(blobs))
    except BadChunk:
        return [_sound(blob, start_ms) for start_ms, blob in blobs]


def _sound(blob: bytes, start_ms: int) -> tuple[Signed, Floats] | None:
    try:
        return decode(blob, start_ms=start_ms)
    except BadChunk:
        return None


def decode_many(blobs: Sequence[tuple[int, bytes]]) -> list[tuple[Signed, Floats]]:
    """Chunks (start in ms, blob), in their order; those of one shape are expanded together, which is 3 times as fast.

    Raises:
        BadChunk: a blob is of an unknown version, or damaged.
    """
    times: list[Signed] = []
    values: list[Floats | None] = []
    alike: dict[tuple[int, Shape], tuple[list[int], list[Column]]] = {}
    try:
        for place, (start_ms, blob) in enumerate(blobs):
            count, at_ms, at = _read_times(blob, start_ms)
            times.append(at_ms)
            mode = blob[at]
            if mode > _MAX_DECIMALS:
                values.append(get_values(blob, at, count)[0])
                continue
            column, _ = find_column(blob, at + 1, count)
            values.append(None)
            group = alike.get((mode, column.shape))
            if group is None:
                group = alike[mode, column.shape] = ([], [])
            group[0].append(place)
            group[1].append(column)
        for (mode, shape), (places, columns) in alike.items():
            most = _AT_ONCE // shape[-1] + 1
            for first in range(0, len(places), most):
                rows = _unscale(expand(columns[first : first + most]), mode)
                for place, row in zip(places[first : first + most], rows, strict=True):
                    values[place] = row
    except (IndexError, ValueError, ArithmeticError, zstandard.ZstdError) as error:
        raise BadChunk("stored samples are damaged") from error
    return [(at_ms, row) for at_ms, row in zip(times, values, strict=True) if row is not None]


def _read_times(blob: bytes, start_ms: int) -> tuple[int, Signed, int]:
    if blob[0] != VERSION:
        raise BadChunk("samples were written by another version")
    count, at = get_varint(blob, 1)
    size, at = get_varint(blob, at)
    return count, _shared_times(blob[at : at + size], count, start_ms), at + size


def _unscale(mantissas: Signed, decimals: int) -> Floats:
    values = mantissas.astype(np.float64)
    if decimals:
        values /= _TENS[decimals]
    return values


def put_values(out: bytearray, values: Floats) -> None:
    """Append a column of numbers, each kept bit for bit."""
    bits = values.view(np.int64)
    if len(bits) and (bits == bits[0]).all() and _put_one_value(out, float(values[0])):
        return
    decimals, mantissas, strays = _to_decimals(values)
    if decimals is None or (decimals == _MAX_DECIMALS and len(strays)):
        out.append(_RAW)
        put_integers(out, np.concatenate((bits[:1], bits[1:] ^ bits[:-1])))
        return
    out.append(decimals | (_PATCHED if len(strays) else 0))
    if len(strays):
        put_varint(out, len(strays))
        put_integers(out, strays.astype(np.int64))
        put_integers(out, values[strays].view(np.int64))
    put_integers(out, mantissas)


def _put_one_value(out: bytearray, value: float) -> bool:
    """Append a column that has this value throughout, if it is a decimal."""
    if not math.isfinite(value) or (value == 0 and math.copysign(1, value) < 0):
        return False
    decimals = _written_decimals(value)
    mantissa = round(value * float(_TENS[decimals]))
    if abs(mantissa) > _EXACT or mantissa / float(_TENS[decimals]) != value:
        return False
    out.append(decimals)
    put_constant(out, mantissa)
    return True


def get_values(data: bytes, at: int, count: int) -> tuple[Floats, int]:
    mode = data[at]
    at += 1
    if mode == _RAW:
        bits, at = get_integers(data, at, count)
        return np.bitwise_xor.accumulate(bits).view(np.float64), at
    strays: Signed | None = None
    if mode & _PATCHED:
        number, at = get_varint(data, at)
        strays, at = get_integers(data, at, number)
        bits, at = get_integers(data, at, number)
    mantissas, at = get_integers(data, at, count)
    values = _unscale(mantissas, mode & _MAX_DECIMALS)
    if strays is not None:
        values[strays] = bits.view(np.float64)
    return values, at


def _to_decimals(values: Floats) -> tuple[int | None, Signed, NDArray[np.intp]]:
    """The fewest decimals that give (nearly) all values back exactly, the integers, and where they don't."""
    allowed = len(values) // 16
    with np.errstate(all="ignore"):
        likely = _likely_decimals(values)
        decimals: int | None = likely
        mantissas, exact = _scale(values, likely)
        strays = np.flatnonzero(~exact)
        if len(strays) > allowed:
            decimals = _more_decimals(values[strays], likely + 1, allowed)
            mantissas, exact = _scale(values, likely if decimals is None else decimals)
            strays = np.flatnonzero(~exact)
    if decimals is None or len(strays) > len(values) // 4 + 1:
        return None, mantissas, strays
    return decimals, _carry_forward(mantissas, exact) if len(strays) else mantissas, strays


def _likely_decimals(values: Floats) -> int:
    """What some of the values have when written, but for one that may be odd."""
    some = values[:: len(values) // 16 + 1].tolist()
    return sorted(map(_written_decimals, some))[-2:][0]


def _written_decimals(value: float) -> int:
    text = repr(value)
    _, point, decimals = text.partition(".")
    if not point or "e" in text or decimals == "0":
        return 0
    return min(len(decimals), _MAX_DECIMALS)


def _more_decimals(pending: Floats, first: int, allowed: int) -> int | None:
    for decimals in range(first, _MAX_DECIMALS + 1):
        # More decimals nearly always fit what fewer did.
        pending = pending[~_scale(pending, decimals)[1]]
        if len(pending) <= allowed:
            return decimals
    return None


def _scale(values: Floats, decimals: int) -> tuple[Signed, NDArray[np.bool_]]:
    """Integers of so many decimals, and which of them `_unscale` gives back bit for bit."""
    mantissas = np.rint(values * _TENS[decimals] if decimals else values).astype(np.int64)
    exact: NDArray[np.bool_] = _unscale(mantissas, decimals).view(np.int64) == values.view(np.int64)
    return mantissas, exact


def _carry_forward(mantissas: Signed, exact: NDArray[np.bool_]) -> Signed:
    """Put the last exact value (at the beginning: the first) where a patch will stand, so that the gap costs no jump."""
    last = np.maximum.accumulate(np.where(exact, np.arange(len(mantissas)), exact.argmax()))
    return mantissas[last]


@lru_cache(maxsize=64)
def _shared_block(offsets: bytes) -> bytes:
    """Series of one sender have the same times: encoded once."""
    block = bytearray()
    put_integers(block, np.frombuffer(offsets, np.int64))
    return bytes(block)


@lru_cache(maxsize=512)
def _shared_times(block: bytes, count: int, start_ms: int) -> Signed:
    """Series that are read together have the same times: decoded once, and the same array for all of them."""
    offsets, _ = get_integers(block, 0, count)
    at_ms = offsets + start_ms
    at_ms.setflags(write=False)
    return at_ms
