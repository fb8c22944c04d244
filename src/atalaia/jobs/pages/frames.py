"""A step's frames as a page shows them: laid out for reading with every token as it was sent, and how they depart."""

import re
from dataclasses import dataclass
from typing import Any, Final

from atalaia.sdk.fidelity import Departure, Node, NotJson, parse, plain_text

_INDENT: Final = "  "
_MAX_LINES: Final = 400
# Characters of one text on a page: reading a megabyte of JSON takes seconds, and nobody reads it there.
MOST_SHOWN: Final = 32_768
_SAID: Final = re.compile(
    r"(?P<path>.*?): captured (?P<captured>.*?), would send (?P<sent>.*?)(?: \((?P<note>[^()]*)\))?", re.DOTALL
)
_NOTES: Final = {
    "the same text, escaped differently": "escapes",
    "the same key, escaped differently": "escapes",
    "whitespace differs": "whitespace",
}


@dataclass(frozen=True, slots=True)
class Text:
    """A payload, a frame or an answer: to be read, and exactly as it was. `left` characters are too many for a page."""

    pretty: str
    raw: str
    left: int = 0


def text_of(text: str) -> Text:
    if len(text) <= MOST_SHOWN:
        return Text(laid_out(text), text)
    shown = text[:MOST_SHOWN]
    return Text(shown, shown, len(text) - MOST_SHOWN)


def laid_out(text: str) -> str:
    """A line for each value; numbers, escapes, order and repeated keys stay as they are. What is no JSON is left alone."""
    try:
        plain = plain_text(text)
        lines = _lines(parse(plain), "")
    except (NotJson, ValueError, RecursionError):
        return text
    return "\n".join(lines) if len(lines) <= _MAX_LINES else text


def _lines(node: Node, indent: str) -> list[str]:
    if node.members:
        parts = [(f"{member.raw_key}: ", member.value) for member in node.members]
    elif node.items:
        parts = [("", value) for value in node.items]
    else:
        return [node.raw]
    inner, lines = indent + _INDENT, ["{" if node.members else "["]
    for number, (name, value) in enumerate(parts, start=1):
        of_value = _lines(value, inner)
        of_value[0] = f"{inner}{name}{of_value[0]}"
        of_value[-1] += "," if number < len(parts) else ""
        lines += of_value
    return [*lines, indent + ("}" if node.members else "]")]


def departure_of(said: Any) -> Departure:
    """A departure out of the words that it was recorded in."""
    text = str(said)
    found = _SAID.fullmatch(text)
    if found is None:
        return Departure("$", "differ", "–", "–", text)
    path, captured, sent, note = found["path"], found["captured"], found["sent"], found["note"] or ""
    return Departure(path, _way_of(captured, sent, note), captured, sent, note)


def _way_of(captured: str, sent: str, note: str) -> Any:
    if note in _NOTES:
        return _NOTES[note]
    if captured == "nothing" or sent == "nothing":
        return "extra_key" if captured == "nothing" else "missing_key"
    if captured.startswith("key order "):
        return "key_order"
    return "constant" if captured.split(" ", maxsplit=1)[0] == sent.split(" ", maxsplit=1)[0] and not note else "type"
