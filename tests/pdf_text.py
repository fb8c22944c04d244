"""The text of a PDF as reportlab writes it, page by page: enough of the format to read back what we made."""

import re
import zlib
from collections.abc import Mapping

_STREAM = re.compile(rb"(\d+) 0 obj\n<<((?:(?!endobj).)*?)>>\nstream\r?\n", re.DOTALL)
_FONT = re.compile(rb"\d+ 0 obj\n<<((?:(?!endobj).)*?/Type /Font\b(?:(?!endobj).)*?)>>\nendobj", re.DOTALL)
_LETTER = re.compile(rb"<([0-9A-F]{2})> <([0-9A-F]{4,})>")
_SHOWN = re.compile(rb"/(F\d+\+\d+) [\d.]+ Tf|\(((?:[^()\\]|\\.)*)\) Tj", re.DOTALL)
_ESCAPED = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages(pdf: bytes) -> list[list[str]]:
    """What stands on each page, text by text in the order it was drawn."""
    streams = {int(n): _decoded(pdf, at, head) for n, head, at in _streams(pdf)}
    fonts = {
        name: _letters(streams[int(cmap)])
        for body in (found[1] for found in _FONT.finditer(pdf))
        if (cmap := _value(body, rb"/ToUnicode (\d+) 0 R")) and (name := _value(body, rb"/Name /(F\d+\+\d+)"))
    }
    return [_texts(content, fonts) for content in streams.values() if b" Tj" in content]


def _streams(pdf: bytes) -> list[tuple[bytes, bytes, int]]:
    return [(found[1], found[2], found.end()) for found in _STREAM.finditer(pdf)]


def _decoded(pdf: bytes, at: int, head: bytes) -> bytes:
    length = _value(head, rb"/Length (\d+)")
    assert length is not None
    data = pdf[at : at + int(length)]
    return zlib.decompress(data) if b"FlateDecode" in head else data


def _value(body: bytes, pattern: bytes) -> bytes | None:
    found = re.search(pattern, body)
    return found[1] if found else None


def _letters(cmap: bytes) -> dict[int, str]:
    return {int(code, 16): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in _LETTER.findall(cmap)}


def _texts(content: bytes, fonts: Mapping[bytes, Mapping[int, str]]) -> list[str]:
    font: Mapping[int, str] = {}
    texts: list[str] = []
    for name, shown in _SHOWN.findall(content):
        if name:
            font = fonts[name]
        else:
            texts.append("".join(font.get(code, "\ufffd") for code in _ESCAPED.sub(_unescaped, shown)))
    return texts


def _unescaped(found: "re.Match[bytes]") -> bytes:
    escaped = found[1]
    return bytes([int(escaped, 8)]) if escaped.isdigit() else _PLAIN.get(escaped, escaped)
