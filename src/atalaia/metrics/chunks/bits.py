"""Numbers to bytes: variable-length integers, zigzag, and arrays packed to so many bits each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Unsigned = NDArray[np.uint64]
Signed = NDArray[np.int64]
_SEVEN, _MORE, _MASK = 7, 0x80, 0x7F
_WINDOW_BITS = 57  # eight bytes, less the seven bits that a value may begin after
_LANE_BITS = 16  # in at most three bytes; wider ones are rare, and no quicker this way


def put_varint(out: bytearray, value: int) -> None:
    """Append an unsigned integer, seven bits a byte, the low ones first."""
    while value > _MASK:
        out.append(value & _MASK | _MORE)
        value >>= _SEVEN
    out.append(value)


def get_varint(data: bytes, at: int) -> tuple[int, int]:
    """The integer at `at`, and where it ends."""
    byte = data[at]
    if byte < _MORE:
        return byte, at + 1
    value, shift = byte & _MASK, _SEVEN
    while True:
        at += 1
        byte = data[at]
        value |= (byte & _MASK) << shift
        if byte < _MORE:
            return value, at + 1
        shift += _SEVEN


def put_signed(out: bytearray, value: int) -> None:
    put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)


def get_signed(data: bytes, at: int) -> tuple[int, int]:
    raw = data[at]
    if raw >= _MORE:
        second = data[at + 1]
        if second >= _MORE:
            raw, at = get_varint(data, at)
            return (raw >> 1) ^ -(raw & 1), at
        raw = raw & _MASK | second << _SEVEN
        at += 1
    return (raw >> 1) ^ -(raw & 1), at + 1


def zigzag(values: Signed) -> Unsigned:
    """0, -1, 1, -2, 2 … to 0, 1, 2, 3, 4 …, so that small numbers of both signs are small."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def unzigzag(values: Unsigned) -> Signed:
    half = (values >> np.uint64(1)).view(np.int64)
    return half ^ -(values & np.uint64(1)).view(np.int64)


def packed_size(count: int, width: int) -> int:
    return (count * width + 7) // 8


def pack(values: Unsigned, width: int) -> bytes:
    """`width` low bits of each value, most significant first."""
    if width == 0:
        return b""
    octets = next(size for size in (1, 2, 4, 8) if width <= 8 * size)
    bits = np.unpackbits(values.astype(f">u{octets}").view(np.uint8).reshape(-1, octets), axis=1)
    return np.packbits(bits[:, 8 * octets - width :].ravel()).tobytes()


def unpack(data: bytes, shape: tuple[int, int], width: int) -> Unsigned:
    """Rows of so many values, each row packed by itself."""
    rows, count = shape
    if width == 0:
        return np.zeros(shape, np.uint64)
    row_bytes = packed_size(count, width)
    octets = np.frombuffer(data, np.uint8, rows * row_bytes)
    if width == 8:  # noqa: PLR2004 whole bytes need no shifting
        return octets.reshape(shape).astype(np.uint64)
    if width == 1:
        return np.unpackbits(octets.reshape(rows, row_bytes), axis=1, count=count).astype(np.uint64)
    if width > _WINDOW_BITS:
        return _unpack_wide(octets.reshape(rows, row_bytes), count, width)
    if width <= _LANE_BITS:
        return _unpack_lanes(octets.reshape(rows, row_bytes), count, width)
    return _unpack_windows(octets, shape, width)


def _unpack_lanes(octets: NDArray[np.uint8], count: int, width: int) -> Unsigned:
    """Eight values are `width` bytes: the first of all eights at once, then the second of all, and so on."""
    rows, row_bytes = octets.shape
    eights = (count + 7) // 8
    if row_bytes < eights * width:
        whole = np.zeros((rows, eights * width), np.uint8)
        whole[:, :row_bytes] = octets
        octets = whole
    groups = octets.reshape(rows * eights, width).T.astype(np.uint32)
    values = np.empty((rows * eights, 8), np.uint32)
    for lane in range(8):
        begin, end = lane * width, (lane + 1) * width
        first, last = begin >> 3, (end - 1) >> 3
        lanes = groups[first] << 8 * (last - first)
        for byte in range(first + 1, last + 1):
            lanes |= groups[byte] << 8 * (last - byte)
        lanes >>= 8 * (last + 1) - end
        values[:, lane] = lanes
    values &= (1 << width) - 1
    return values.reshape(rows, eights * 8)[:, :count].astype(np.uint64)


def _unpack_windows(octets: NDArray[np.uint8], shape: tuple[int, int], width: int) -> Unsigned:
    """Each value is in the eight bytes from the one that it begins in: look at all of these, then shift."""
    rows, count = shape
    padded = np.concatenate((octets, np.zeros(8, np.uint8)))
    windows = np.ndarray((len(padded) - 7,), ">u8", padded, strides=(1,))
    begins = np.arange(0, count * width, width)
    places = begins >> 3
    if rows > 1:
        places = (np.arange(rows) * packed_size(count, width))[:, None] + places
    values: Unsigned = windows[places.reshape(shape)].astype(np.uint64)
    values >>= (64 - width - (begins & 7)).astype(np.uint64)
    values &= np.uint64((1 << width) - 1)
    return values


def _unpack_wide(octets: NDArray[np.uint8], count: int, width: int) -> Unsigned:
    bits = np.unpackbits(octets, axis=1, count=count * width)
    planes = np.packbits(bits.reshape(len(octets), count, width), axis=2)
    values = np.zeros((len(octets), count), np.uint64)
    for column in range(planes.shape[2]):
        values <<= np.uint64(8)
        values |= planes[:, :, column]
    values >>= np.uint64(planes.shape[2] * 8 - width)
    return values
