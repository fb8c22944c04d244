"""Numbers to bytes: variable-length integers, zigzag, and arrays packed to so many bits each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Unsigned = NDArray[np.uint64]
Signed = NDArray[np.int64]
_SEVEN, _MORE, _MASK = 7, 0x80, 0x7F


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
    raw, at = get_varint(data, at)
    return (raw >> 1 if not raw & 1 else -((raw + 1) >> 1)), at


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
    bits = np.unpackbits(values.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    return np.packbits(bits[:, 64 - width :].ravel()).tobytes()


def unpack(data: bytes, shape: tuple[int, int], width: int) -> Unsigned:
    """Rows of so many values, each row packed by itself."""
    rows, count = shape
    if width == 0:
        return np.zeros(shape, np.uint64)
    octets = np.frombuffer(data, np.uint8, rows * packed_size(count, width)).reshape(rows, -1)
    if width == 8:  # noqa: PLR2004 whole bytes need no shifting
        return octets.astype(np.uint64)
    bits = np.unpackbits(octets, axis=1, count=count * width)
    if width == 1:
        return bits.astype(np.uint64)
    planes = np.packbits(bits.reshape(rows, count, width), axis=2)
    values = planes[:, :, 0].astype(np.uint64)
    for column in range(1, planes.shape[2]):
        values <<= np.uint64(8)
        values |= planes[:, :, column]
    values >>= np.uint64(planes.shape[2] * 8 - width)
    return values
