"""Pictures are known by their content; what may hold a script is none, and sizes are as a browser shows them."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.integrations.cvepro.model.pictures import MOST_BYTES, Picture, read_picture


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(width: int, height: int, *, orientation: int | None = None, order: str = "<") -> bytes:
    exif = b""
    if orientation is not None:
        mark = b"II" if order == "<" else b"MM"
        tiff = mark + struct.pack(f"{order}HIH", 42, 8, 1) + struct.pack(f"{order}HHIHH", 0x112, 3, 1, orientation, 0)
        exif = segment(0xE1, b"Exif\0\0" + tiff)
    frame = segment(0xC2, struct.pack(">BHHB", 8, height, width, 3))
    return b"\xff\xd8" + segment(0xE0, b"JFIF\0") + exif + b"\xff" + segment(0xDB, b"\0" * 65) + frame + b"\xff\xd9"


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_a_picture_says_how_large_it_is(width: int, height: int) -> None:
    assert read_picture(png(width, height)) == Picture("image/png", width, height)
    assert read_picture(jpeg(width, height)) == Picture("image/jpeg", width, height)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_that_was_taken_lying_is_as_it_is_shown(orientation: int, order: str) -> None:
    found = read_picture(jpeg(40, 30, orientation=orientation, order=order))
    assert (found.width_px, found.height_px) == ((30, 40) if orientation >= 5 else (40, 30))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + b"\0" * 40,
        png(10, 10)[:20],
        png(0, 10),
        png(10, 20_001),
        jpeg(10, 10)[:30],
        png(10, 10) + b"\0" * MOST_BYTES,
    ],
)
def test_what_is_no_picture_is_refused_at_its_field(content: bytes) -> None:
    with pytest.raises(InvalidField) as error:
        read_picture(content)
    assert error.value.field == "picture"


@given(
    st.binary(max_size=60),
    st.sampled_from((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1\x00\x20Exif\0\0II")),
)
def test_whatever_comes_is_read_or_refused(rest: bytes, begin: bytes) -> None:
    try:
        found = read_picture(begin + rest)
    except InvalidField:
        return
    assert found.width_px * found.height_px > 0
