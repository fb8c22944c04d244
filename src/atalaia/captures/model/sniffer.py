"""Lines of the sniffer snippet (`sniffer.js`), as they are copied or saved out of a browser's console.

The snippet has taken the secrets out already; they are taken out again here, since a person may have changed it.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from atalaia.captures.model.recordings import CaptureRefused, Direction, Message, Note, Reading, Via
from atalaia.core.clock import from_ms
from atalaia.core.translations import N_

MARK: Final = b'{"atalaia_capture":'
HOW_TO_SNIFF: Final = N_(
    "Run `atalaia capture sniffer`, paste what it prints into the browser's console, do the steps, then save the console's lines"
    " to a file and import it."
)
# A console shows a long line with a break in it, and puts the place of the script before or behind.
_LINE: Final = re.compile(rb'\{"atalaia_capture":.*\}')


class _Line(msgspec.Struct):
    atalaia_capture: int
    raw: str
    at: float = 0
    via: Via = "socket"
    direction: Direction = "sent"
    address: str = ""
    browser: str = ""


def is_sniffer(data: bytes) -> bool:
    return MARK in data


def read_sniffer(data: bytes) -> Reading:
    """Raises: CaptureRefused (no line that can be read)."""
    reading = Reading("sniffer")
    broken = 0
    for line in _lines(data):
        if line is None:
            broken += 1
            continue
        reading.browser = reading.browser or line.browser[:100]
        at = from_ms(line.at) if 0 < line.at < 1e14 else None  # noqa: PLR2004 - far beyond any date
        reading.add(Message(line.direction, line.via, line.address, line.raw, at))
    if not reading.messages:
        raise CaptureRefused(N_("no line of the sniffer can be read in this file"), hint=HOW_TO_SNIFF)
    if broken:
        reading.notes.append(Note(N_("{n} lines of the sniffer were cut off and left out."), {"n": broken}))
    return reading


def _lines(data: bytes) -> Iterator[_Line | None]:
    decoder = msgspec.json.Decoder(_Line)
    for text in data.splitlines():
        if MARK not in text:
            continue
        found = _LINE.search(text)
        try:
            yield decoder.decode(found[0]) if found else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield None
