"""How the strings of a frame are escaped: a habit of the program that wrote it, told from its own strings."""

import itertools
import re
from collections.abc import Sequence

import msgspec

from atalaia.sdk.fidelity.tokens import decode_string

_SHORT = {"\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}
_ALWAYS = re.compile(r'["\\\x00-\x1f\ud800-\udfff]')
_SLASH = re.compile(r'["\\\x00-\x1f\ud800-\udfff/]')
_ASCII = re.compile(r'["\\\x00-\x1f]|[^\x00-\x7f]')
_ASCII_SLASH = re.compile(r'["\\\x00-\x1f/]|[^\x00-\x7f]')
_BEYOND = 0x10000  # from here on a character is two UTF-16 units


class EscapeForm(msgspec.Struct, frozen=True):
    """The defaults are those of browsers' JSON.stringify."""

    slash: bool = False  # `\\/`
    non_ascii: bool = False  # `\\u00e9`
    upper_hex: bool = False  # `\\u00E9`
    is_mixed: bool = False  # the frame itself has more than one form: none is demanded


FORMS = tuple(
    EscapeForm(slash=slash, non_ascii=non_ascii, upper_hex=upper)
    for non_ascii, slash, upper in itertools.product((False, True), repeat=3)
)


def quote(value: str, form: EscapeForm = FORMS[0]) -> str:
    """A string token that says `value`."""
    pattern = (_ASCII_SLASH if form.slash else _ASCII) if form.non_ascii else (_SLASH if form.slash else _ALWAYS)
    return '"' + pattern.sub(lambda found: _escape(found[0], form), value) + '"'


def form_of(raw_strings: Sequence[str]) -> EscapeForm:
    """The form in which all these tokens are written."""
    telling = [(raw, decode_string(raw)) for raw in raw_strings if "\\" in raw or "/" in raw or not raw.isascii()]
    for form in FORMS:
        if all(quote(decoded, form) == raw for raw, decoded in telling):
            return form
    return EscapeForm(is_mixed=True)


def _escape(character: str, form: EscapeForm) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if character == "/":
        return "\\/"
    code = ord(character)
    if code >= _BEYOND:
        code -= _BEYOND
        return _unit(0xD800 + (code >> 10), form) + _unit(0xDC00 + (code & 0x3FF), form)
    return _unit(code, form)


def _unit(code: int, form: EscapeForm) -> str:
    return f"\\u{code:04X}" if form.upper_hex else f"\\u{code:04x}"
