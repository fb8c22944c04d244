"""Frames that are percent-encoded as a whole: which of the ways to do so, and what stands where."""

import itertools
import re
import string
from dataclasses import dataclass
from typing import Literal

import msgspec

from atalaia.sdk.fidelity.tokens import NotJson

Encoding = Literal["plain", "percent"]

_LETTERS = string.ascii_letters + string.digits
# What each of them leaves as it is. Sources: ECMA-262 (encodeURIComponent, encodeURI, escape), RFC 3986 2.3, Python's quote.
BARE_SETS = (
    _LETTERS + "-_.!~*'()",
    _LETTERS + "-_.!~*'();/?:@&=+$,#",
    _LETTERS + "@*_+-./",
    _LETTERS + "-_.~",
    _LETTERS + "-_.~/",
    _LETTERS + "*-._",
    _LETTERS,
)
_RUN = re.compile(r"(?:%[0-9A-Fa-f]{2})+|%|\+")
_START = re.compile(r"\s*(?:%|\{\s*%22)")


class PercentForm(msgspec.Struct, frozen=True):
    bare: str = BARE_SETS[0]
    upper_hex: bool = True
    plus_space: bool = False  # a space is `+`
    is_mixed: bool = False  # the text itself has more than one form: none is demanded


@dataclass(frozen=True, slots=True)
class Decoded:
    """`starts[i]` is where the i-th character of `text` begins on the wire; one more for the end."""

    text: str
    starts: list[int]


def encoding_of(text: str) -> Encoding:
    """JSON never starts so."""
    return "percent" if _START.match(text) else "plain"


def is_plus_for_space(wire: str) -> bool:
    """A bare `+` is a space, unless spaces are written otherwise."""
    return "+" in wire and "%20" not in wire


def decode(wire: str, *, plus_space: bool = False) -> Decoded:
    """Raises: NotJson: a lone `%`, or bytes that are not UTF-8."""
    parts: list[str] = []
    starts: list[int] = []
    at = 0
    for run in _RUN.finditer(wire):
        parts.append(wire[at : run.start()])
        starts.extend(range(at, run.start()))
        found = run[0]
        characters = _characters(found, run.start()) if found != "+" else " " if plus_space else "+"
        parts.append(characters)
        starts.extend(_places(characters, run.start(), step=3 if found != "+" else 1))
        at = run.end()
    parts.append(wire[at:])
    starts.extend(range(at, len(wire) + 1))
    return Decoded("".join(parts), starts)


def encode(text: str, form: PercentForm) -> str:
    bare = re.compile("[^" + re.escape(form.bare) + "]+")
    return bare.sub(lambda found: _encode_run(found[0], form), text)


def form_of(wire: str) -> PercentForm:
    """The form in which the whole text is written. Raises: NotJson."""
    with_plus = is_plus_for_space(wire)
    texts = {plus_space: decode(wire, plus_space=plus_space).text for plus_space in {with_plus, False}}
    for plus_space, bare, upper in itertools.product(sorted(texts, reverse=True), BARE_SETS, (True, False)):
        form = PercentForm(bare=bare, upper_hex=upper, plus_space=plus_space)
        if encode(texts[plus_space], form) == wire:
            return form
    return PercentForm(plus_space=with_plus, is_mixed=True)


def _characters(run: str, at: int) -> str:
    if run == "%":
        raise NotJson(at, "a % without two hexadecimal digits")
    try:
        return bytes.fromhex(run.replace("%", "")).decode()
    except UnicodeDecodeError as error:
        raise NotJson(at + 3 * error.start, "percent-encoded bytes that are not UTF-8") from error


def _places(characters: str, at: int, *, step: int) -> list[int]:
    places = []
    for character in characters:
        places.append(at)
        at += step * len(character.encode())
    return places


def _encode_run(run: str, form: PercentForm) -> str:
    digits = "%{:02X}" if form.upper_hex else "%{:02x}"
    encoded = "".join(digits.format(byte) for byte in run.encode("utf-8", "surrogatepass"))
    return encoded.replace("%20", "+") if form.plus_space else encoded
