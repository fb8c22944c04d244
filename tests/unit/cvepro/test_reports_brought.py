"""What a file is that a person brings: by its content, whatever it is called."""

import contextlib
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atalaia.core.errors import InvalidField
from atalaia.integrations.cvepro.model.reports import MOST_BYTES, Format, file_name, read_title, recognised


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "format"),
    [
        (b"%PDF-1.7\n...", Format.PDF),
        (b"\x89PNG\r\n\x1a\n....", Format.PNG),
        (b"\xff\xd8\xff\xe0....", Format.JPEG),
        (b"RIFF\x10\0\0\0WEBPVP8 ", Format.WEBP),
        (archive("[Content_Types].xml", "xl/workbook.xml", "xl/worksheets/sheet1.xml"), Format.XLSX),
        (b"unidade;kWh\n101;12,5\n102;0,4\n", Format.CSV),
        ("\ufeffflat,kWh\r\n101,12.5\r\n".encode(), Format.CSV),
        ("unidade;morador\n101;João\n".encode("latin-1"), Format.CSV),
    ],
)
def test_it_is_known_by_its_content(content: bytes, format: Format) -> None:
    assert recognised(content) is format


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\0 a program",
        b"<html><script>alert(1)</script></html>",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>",
        b"  <?xml version='1.0'?><a,b>\n</a,b>",
        b"#!/bin/sh\nrm -rf a,b\n",
        b'{"a": 1, "b": 2}',
        archive("word/document.xml", "[Content_Types].xml"),
        b"PK\x03\x04 broken",
        b"just a sentence without columns\n",
        b"a,b\0c\n",
        b"\x1b[31m,red\n",
        b"\n\n",
    ],
)
def test_what_is_none_of_them_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidField):
        recognised(content)


def test_what_is_too_large_is_refused_with_the_limit() -> None:
    with pytest.raises(InvalidField, match="20"):
        recognised(b"%PDF-" + bytes(MOST_BYTES))


@given(content=st.binary(max_size=400))
def test_any_bytes_are_known_or_refused_in_order(content: bytes) -> None:
    with contextlib.suppress(InvalidField):
        assert recognised(content) in Format


@given(title=st.text(max_size=200))
def test_a_file_has_a_name_that_every_system_takes(title: str) -> None:
    name = file_name(title, Format.PDF)
    assert name.endswith(".pdf")
    assert not set(name) & set('/\\:*?"<>|\n\r\0')
    assert not name.startswith(".")


def test_a_title_is_one_line_of_some_length() -> None:
    assert read_title("  Relatório \n de outubro ") == "Relatório de outubro"
    for wrong in (" ", "x" * 121, "a\u202eb"):
        with pytest.raises(InvalidField):
            read_title(wrong)
