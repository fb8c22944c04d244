"""Columns of integers as they lie in a blob, back to numbers. How they are written is in `integers`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from atalaia.metrics.chunks.bits import Signed, get_signed, get_varint, unpack, unzigzag
from atalaia.metrics.chunks.integers import CONSTANT, MAX_ORDER, PACKED, PLANES, RICE, SPLIT
from atalaia.metrics.errors import BadChunk

_BYTE = 8


class _Decompressor(threading.local):
    """One may serve one thread at a time."""

    def __init__(self) -> None:
        self.decompress = zstandard.ZstdDecompressor(format=zstandard.FORMAT_ZSTD1_MAGICLESS).decompress


_zstd = _Decompressor()


class Column(NamedTuple):
    """A column as it lies in a blob. Those of one `shape` (method, order, bits, count) are expanded together."""

    shape: tuple[int, int, int, int]
    firsts: tuple[int, ...]
    low: int
    divisor: int
    packed: bytes
    sized: bytes


def find_column(data: bytes, at: int, count: int) -> tuple[Column, int]:
    """The column of `count` (at least one) integers that begins at `at`, and where it ends.

    Raises:
        BadChunk: the bytes are not a column.
    """
    head = data[at]
    order, method = head & 3, head >> 2
    if order > MAX_ORDER or method > PLANES or order >= count:
        raise BadChunk("unknown way of writing integers")
    at += 1
    firsts: tuple[int, ...] = ()
    for _ in range(order):
        first, at = get_signed(data, at)
        firsts += (first,)
    if method == RICE:
        low, divisor = 0, 1
    else:
        low, at = get_signed(data, at)
        if method == CONSTANT:
            return Column((method, order, 0, count), firsts, low, 1, b"", b""), at
        divisor, at = get_varint(data, at)
    bits = data[at]
    at += 1
    packed = sized = b""
    if method != PLANES:
        end = at + ((count - order) * bits + 7) // 8
        packed, at = data[at:end], end
    if method != PACKED:
        size, at = get_varint(data, at)
        sized, at = data[at : at + size], at + size
    return Column((method, order, bits, count), firsts, low, divisor, packed, sized), at


def expand(columns: Sequence[Column]) -> Signed:
    """The integers of columns of one shape, a row each.

    Raises:
        BadChunk: a column is damaged.
    """
    method, order, bits, count = columns[0].shape
    shape = (len(columns), count - order)
    if method == RICE:
        rest = _expand_rice(columns, shape, bits)
    else:
        low = np.array([[column.low] for column in columns], np.int64)
        rest = np.repeat(low, shape[1], axis=1) if method == CONSTANT else _EXPANDERS[method](columns, shape, bits)
        if method != CONSTANT:
            if any(column.divisor != 1 for column in columns):
                rest *= np.array([[column.divisor] for column in columns], np.uint64).view(np.int64)
            rest += low
    for place in range(order - 1, -1, -1):
        values = np.empty((shape[0], rest.shape[1] + 1), np.int64)
        values[:, 0] = [column.firsts[place] for column in columns]
        values[:, 1:] = rest
        rest = values.cumsum(axis=1, out=values)
    return rest


def get_integers(data: bytes, at: int, count: int) -> tuple[Signed, int]:
    """The column of `count` integers that begins at `at`, and where it ends.

    Raises:
        BadChunk: the bytes are not a column.
    """
    if count == 0:
        return np.zeros(0, np.int64), at
    column, at = find_column(data, at, count)
    return expand((column,))[0], at


def _expand_packed(columns: Sequence[Column], shape: tuple[int, int], bits: int) -> Signed:
    return unpack(b"".join([column.packed for column in columns]), shape, bits).view(np.int64)


def _expand_rice(columns: Sequence[Column], shape: tuple[int, int], low_bits: int) -> Signed:
    unary = np.unpackbits(np.frombuffer(b"".join([column.sized for column in columns]), np.uint8))
    ones = unary.nonzero()[0]
    if len(ones) != shape[0] * shape[1]:
        raise BadChunk("rice column is damaged")
    highs = ones.reshape(shape)
    sizes = [len(column.sized) * _BYTE for column in columns]
    begins = np.array([0, *sizes[:-1]], np.int64).cumsum()
    highs[:, 1:] -= highs[:, :-1] + 1
    highs[:, 0] -= begins
    values = highs.view(np.uint64)
    if low_bits:
        values <<= np.uint64(low_bits)
        values |= unpack(b"".join([column.packed for column in columns]), shape, low_bits)
    return unzigzag(values)


def _decompress(columns: Sequence[Column], size: int) -> NDArray[np.uint8]:
    decompress = _zstd.decompress
    whole = b"".join([decompress(column.sized, max_output_size=size) for column in columns])
    return np.frombuffer(whole, np.uint8)


def _expand_split(columns: Sequence[Column], shape: tuple[int, int], low_bits: int) -> Signed:
    values = _decompress(columns, shape[1]).reshape(shape).astype(np.uint64)
    if low_bits:
        values <<= np.uint64(low_bits)
        values |= unpack(b"".join([column.packed for column in columns]), shape, low_bits)
    return values.view(np.int64)


def _expand_planes(columns: Sequence[Column], shape: tuple[int, int], octets: int) -> Signed:
    planes = _decompress(columns, shape[1] * octets).reshape(shape[0], octets, shape[1])
    values = np.zeros(shape, np.uint64)
    for number in range(octets):
        values |= planes[:, number, :].astype(np.uint64) << np.uint64(number * _BYTE)
    return values.view(np.int64)


_EXPANDERS: dict[int, Callable[[Sequence[Column], tuple[int, int], int], Signed]] = {
    PACKED: _expand_packed,
    SPLIT: _expand_split,
    PLANES: _expand_planes,
}
