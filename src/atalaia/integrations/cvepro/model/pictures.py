"""A picture as people upload it: what it is and how large, by its content and not by its name. Pure.

Drawings that may hold scripts (SVG) are not taken.
Source: PNG (ISO/IEC 15948), chapter 11; JPEG (ITU-T T.81), annex B; EXIF 2.3, 4.6.4
"""

import struct
from dataclasses import dataclass
from typing import Final

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_

MOST_BYTES: Final = 5_000_000
MOST_PX: Final = 20_000
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_SIZES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers of frames: they say width and height
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_EXIF: Final = 0xE1
_ORIENTATION: Final = 0x0112
_LYING: Final = range(5, 9)  # orientations that swap width and height


@dataclass(frozen=True, slots=True)
class Picture:
    media_type: str
    width_px: int
    height_px: int


def read_picture(content: bytes, field: str = "picture") -> Picture:
    """As a browser shows it: turned as a JPEG says that it was taken. Raises: InvalidField."""
    if not content:
        raise InvalidField(field, N_("Choose a file."))
    if len(content) > MOST_BYTES:
        raise InvalidField(field, N_("at most {most} MB"), most=MOST_BYTES // 1_000_000)
    found = _png(content) or _jpeg(content)
    if found is None:
        raise InvalidField(field, N_("This is neither a PNG nor a JPEG picture."))
    if not (0 < found.width_px <= MOST_PX and 0 < found.height_px <= MOST_PX):
        raise InvalidField(field, N_("at most {most} points wide and high"), most=MOST_PX)
    return found


def _png(content: bytes) -> Picture | None:
    if not content.startswith(_PNG) or content[12:16] != b"IHDR" or len(content) < 24:  # noqa: PLR2004 - where the size ends
        return None
    width, height = struct.unpack(">II", content[16:24])
    return Picture("image/png", width, height)


def _jpeg(content: bytes) -> Picture | None:
    if not content.startswith(_JPEG):
        return None
    at, is_lying = 2, False
    while at + 4 <= len(content) and content[at] == 0xFF:  # noqa: PLR2004 - a marker begins so
        marker = content[at + 1]
        if marker in _BARE or marker == 0xFF:  # noqa: PLR2004 - filling
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004 - filling
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        segment = content[at + 4 : at + 2 + length]
        if marker in _SIZES:
            return _sized(segment, is_lying=is_lying)
        is_lying = is_lying or (marker == _EXIF and _orientation(segment) in _LYING)
        at += 2 + max(2, length)
    return None


def _sized(segment: bytes, *, is_lying: bool) -> Picture | None:
    if len(segment) < 5:  # noqa: PLR2004 - precision, height, width
        return None
    height, width = struct.unpack(">HH", segment[1:5])
    return Picture("image/jpeg", *((height, width) if is_lying else (width, height)))


def _orientation(segment: bytes) -> int:
    """1..8; 1 where nothing is said that can be read."""
    if not segment.startswith(b"Exif\0\0"):
        return 1
    tiff = segment[6:]
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    try:
        if order is None:
            return 1
        first = struct.unpack_from(f"{order}I", tiff, 4)[0]
        for n in range(struct.unpack_from(f"{order}H", tiff, first)[0]):
            tag, _kind, _count, value = struct.unpack_from(f"{order}HHIH", tiff, first + 2 + 12 * n)
            if tag == _ORIENTATION:
                return int(value)
    except struct.error:
        return 1
    return 1
