"""Texts within texts: what a string or a percent-encoded frame says, each character with its place in the raw text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_ENCODED: Final = re.compile(r"[\s\x00]*(?:%[0-9A-Fa-f]{2}|\{\s*%22)")


@dataclass(frozen=True, slots=True)
class View:
    """`starts[i]` is where the i-th character of `text` begins in the raw text; one more for the end. None: where it stands."""

    text: str
    starts: Sequence[int] | None = None
    is_percent: bool = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        return (start, end) if self.starts is None else (self.starts[start], self.starts[end])

    def place(self, position: int) -> int:
        return position if self.starts is None else self.starts[position]


def views_of(raw: str) -> Iterator[View]:
    """The text itself, and what it says where it is percent-encoded as a whole."""
    plain = View(raw)
    yield plain
    if _ENCODED.match(raw) and (decoded := percent_view(plain)) is not None:
        yield decoded


def percent_view(view: View) -> View | None:
    """What a percent-encoded text says; None where nothing in it is encoded. Bytes that are no UTF-8 stand for themselves."""
    parts: list[str] = []
    starts: list[int] = []
    at = 0
    for run in _PERCENT.finditer(view.text):
        parts.append(view.text[at : run.start()])
        starts += (view.place(position) for position in range(at, run.start()))
        for character, position in _characters(run[0], run.start()):
            parts.append(character)
            starts.append(view.place(position))
        at = run.end()
    if not at:
        return None
    parts.append(view.text[at:])
    starts += (view.place(position) for position in range(at, len(view.text) + 1))
    return View("".join(parts), starts, is_percent=True)


def _characters(run: str, start: int) -> Iterator[tuple[str, int]]:
    data = bytes.fromhex(run.replace("%", ""))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    width = [len(character.encode()) for character in text] if len(text) != len(data) else [1] * len(text)
    at = start
    for character, size in zip(text, width, strict=True):
        yield character, at
        at += 3 * size


def string_view(view: View, start: int, end: int) -> View:
    """What the content of a JSON string says, its escapes undone."""
    text = view.text[start:end]
    if "\\" not in text:
        return View(
            text, range(start, end + 1) if view.starts is None else view.starts[start : end + 1], view.is_percent
        )
    parts: list[str] = []
    starts: list[int] = []
    at = 0
    for escape in _ESCAPE.finditer(text):
        parts.append(text[at : escape.start()])
        starts += (view.place(start + position) for position in range(at, escape.start()))
        parts.append(chr(int(escape[1], 16)) if escape[1] else _SHORT.get(escape[2], escape[2]))
        starts.append(view.place(start + escape.start()))
        at = escape.end()
    parts.append(text[at:])
    starts += (view.place(start + position) for position in range(at, len(text) + 1))
    return View("".join(parts), starts, view.is_percent)
