"""A column of 64-bit integers in as few bytes as it takes.

Differences of order 0, 1 or 2 are taken (wrapping, so any integers will do), their lowest value and greatest common
divisor are divided out, and what is left is written in the way that comes out shortest:

- constant: nothing more;
- packed: the same number of bits each;
- rice: the low bits packed, the rest in unary; near the entropy of what is spread like noise, and without any table;
- split: the low bits packed, the rest through zstd as bytes; for skewed numbers;
- planes: whole bytes, transposed, through zstd; for what repeats.
"""

from __future__ import annotations

import math
import threading
from typing import NamedTuple

import numpy as np
import zstandard

from atalaia.metrics.chunks.bits import (
    Signed,
    Unsigned,
    pack,
    packed_size,
    put_signed,
    put_varint,
    zigzag,
)

CONSTANT, PACKED, RICE, SPLIT, PLANES = range(5)
MAX_ORDER = 2
_RICE_LIMIT = 24  # unary bits a value, beyond which rice cannot win
_ESTIMATE_SLACK = 1.1  # what zstd finds beside entropy
_BYTE = 8
LEVEL = 3


class _Compressor(threading.local):
    """One may serve one thread at a time. Frames go without magic number, size and checksum."""

    def __init__(self) -> None:
        parameters = zstandard.ZstdCompressionParameters.from_level(
            LEVEL,
            format=zstandard.FORMAT_ZSTD1_MAGICLESS,
            write_content_size=False,
            write_checksum=False,
            window_log=14,
        )
        self.compress = zstandard.ZstdCompressor(compression_params=parameters).compress


_zstd = _Compressor()


def put_integers(out: bytearray, values: Signed) -> None:
    """Append a column; its length is not written, the reader has to know it."""
    if len(values):
        out += _shortest(values, _best_order(values))


def put_constant(out: bytearray, value: int) -> None:
    """Append a column of one value, as `put_integers` would."""
    out.append(CONSTANT << 2)
    put_signed(out, value)


def _best_order(values: Signed) -> int:
    """The order of differences that leaves the fewest bits, by their magnitudes less their commonest one."""
    costs = []
    rest = values
    for order in range(min(MAX_ORDER, len(values) - 1) + 1):
        if order:
            rest = rest[1:] - rest[:-1]
        spread = (rest - rest[len(rest) // 2]).astype(np.float64)
        costs.append(float(np.log2(np.abs(spread) + 1).sum()) + 12 * order)
    return costs.index(min(costs))


def _shortest(values: Signed, order: int) -> bytes:
    """The column in the shortest way. What can be reckoned is not written to see how long it gets."""
    head = bytearray()
    rest = values
    for _ in range(order):
        put_signed(head, int(rest[0]))
        rest = rest[1:] - rest[:-1]
    low = int(rest.min())
    offsets = (rest - low).view(np.uint64)
    divisor = int(np.gcd.reduce(offsets))
    if divisor == 0:
        return bytes([CONSTANT << 2 | order]) + head + _signed(low)
    if divisor > 1:
        offsets //= np.uint64(divisor)
    width = int(offsets.max()).bit_length()
    scale = _signed(low) + _varint(divisor)
    signed = zigzag(rest) if divisor == 1 else None
    rice = _plan_rice(signed) if signed is not None else None
    method, size = PACKED, len(scale) + 1 + packed_size(len(rest), width)
    if rice is not None and rice.size <= size:
        method, size = RICE, rice.size
    if width <= 56:  # noqa: PLR2004 wider ones are noise
        denser = _denser(offsets, width, size - len(scale))
        if denser is not None:
            return bytes([denser[0] << 2 | order]) + head + scale + denser[1]
    if method == RICE and signed is not None and rice is not None:
        return bytes([RICE << 2 | order]) + head + _write_rice(signed, rice.low_bits)
    return bytes([PACKED << 2 | order]) + head + scale + bytes([width]) + pack(offsets, width)


def _denser(offsets: Unsigned, width: int, limit: int) -> tuple[int, bytes] | None:
    """Planes or split, whichever is the shorter, where one of them takes less than `limit` bytes."""
    octets = (width + 7) // _BYTE
    planes = np.ascontiguousarray(offsets.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :octets].T)
    best: tuple[int, bytes] | None = None
    body = bytes([octets]) + _sized(_zstd.compress(planes.tobytes()))
    if len(body) < limit:
        best, limit = (PLANES, body), len(body)
    if width > 1:
        low_bits, size = _best_split(offsets, width)
        if size < limit * _ESTIMATE_SLACK:
            high = (offsets >> np.uint64(low_bits)).astype(np.uint8)
            body = bytes([low_bits]) + pack(offsets, low_bits) + _sized(_zstd.compress(high.tobytes()))
            if len(body) < limit:
                best = (SPLIT, body)
    return best


def _best_split(offsets: Unsigned, width: int) -> tuple[int, float]:
    """Where to cut, and some bytes: entropy of the high part, the bits of the low one, and a table of some 5 bits a symbol."""
    count = len(offsets)
    lowest = max(0, width - _BYTE)
    seen = np.bincount((offsets >> np.uint64(lowest)).astype(np.int64), minlength=1 << (width - lowest))
    levels = [seen]
    while len(seen) > 2:  # noqa: PLR2004 at least one bit stays
        seen = seen[0::2] + seen[1::2]
        levels.append(seen)
    begins = np.cumsum([0, *(len(level) for level in levels[:-1])])
    flat = np.concatenate(levels)
    is_seen = flat > 0
    spent = np.add.reduceat(flat * np.log2(np.where(is_seen, flat, 1)), begins)
    symbols = np.add.reduceat(is_seen, begins, dtype=np.int64)
    bits = count * math.log2(count) - spent + count * np.arange(lowest, width) + 5 * symbols
    best = int(bits.argmin())
    return lowest + best, float(bits[best]) / _BYTE


class _Rice(NamedTuple):
    low_bits: int
    size: int


def _plan_rice(values: Unsigned) -> _Rice | None:
    mean = float(values.mean())
    guess = max(0, int(math.log2(mean * 0.69 + 1e-9))) if mean > 0 else 0
    if guess >= 60:  # noqa: PLR2004 noise over the whole width
        return None
    count = len(values)
    unary = {k: count + int((values >> np.uint64(k)).sum()) for k in range(max(0, guess - 1), guess + 2)}
    low_bits = min(unary, key=lambda k: unary[k] + count * k)
    if unary[low_bits] > count * _RICE_LIMIT:
        return None
    unary_bytes = (unary[low_bits] + 7) // _BYTE
    return _Rice(low_bits, 1 + packed_size(count, low_bits) + len(_varint(unary_bytes)) + unary_bytes)


def _write_rice(values: Unsigned, low_bits: int) -> bytes:
    """Low bits packed, then the high parts in unary: so many zeros, then a one."""
    ones = np.cumsum((values >> np.uint64(low_bits)) + np.uint64(1)) - np.uint64(1)
    unary = np.zeros(int(ones[-1]) + 1, np.uint8)
    unary[ones] = 1
    return bytes([low_bits]) + pack(values, low_bits) + _sized(np.packbits(unary).tobytes())


def _varint(value: int) -> bytes:
    out = bytearray()
    put_varint(out, value)
    return bytes(out)


def _signed(value: int) -> bytes:
    out = bytearray()
    put_signed(out, value)
    return bytes(out)


def _sized(body: bytes) -> bytes:
    return _varint(len(body)) + body
