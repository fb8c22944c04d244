"""Which labels a question asks for: `host=sp-1,phase=~dns|tcp,place!=lab`, or a JSON object for equal ones."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from atalaia.core.errors import InvalidField

MAX_CHARS = 2_000
_TERM = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^",]*))\s*(?:,|\Z)')
_ESCAPED = re.compile(r"\\(.)")

Operator = Literal["=", "!=", "=~", "!~"]


class Selector(msgspec.Struct, frozen=True):
    """One condition on a label; a label that is not there is empty."""

    label: str
    operator: Operator
    value: str

    def matches(self, labels: dict[str, str]) -> bool:
        value = labels.get(self.label, "")
        if self.operator in {"=", "!="}:
            return (value == self.value) == (self.operator == "=")
        return (re.fullmatch(self.value, value) is not None) == (self.operator == "=~")


def parse_selectors(text: str) -> list[Selector]:
    """The conditions, all of which must hold. A value with a comma stands in double quotes.

    Raises:
        InvalidField: it is not of this form, or a regular expression is none.
    """
    if len(text) > MAX_CHARS:
        raise InvalidField("labels", "labels: longer than {limit} characters", limit=MAX_CHARS)
    stripped = text.strip().removeprefix("{").removesuffix("}") if not text.lstrip().startswith('{"') else text
    if stripped is text and text.lstrip().startswith("{"):
        return _from_json(text)
    selectors: list[Selector] = []
    at = 0
    while at < len(stripped):
        term = _TERM.match(stripped, at)
        if term is None:
            raise _not_selectors()
        quoted = term[3]
        value = _ESCAPED.sub(r"\1", quoted) if quoted is not None else term[4].strip()
        selectors.append(_checked(term[1], term[2], value))
        at = term.end()
    return selectors


def _from_json(text: str) -> list[Selector]:
    try:
        pairs = msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError:
        raise _not_selectors() from None
    return [Selector(label, "=", value) for label, value in pairs.items()]


def _checked(label: str, operator: str, value: str) -> Selector:
    if operator in {"=~", "!~"}:
        try:
            re.compile(value)
        except re.error:
            raise InvalidField("labels", "labels: not a regular expression: {value}", value=value) from None
    return Selector(label, operator, value)  # type: ignore[arg-type]  # the pattern knows these four only


def _not_selectors() -> InvalidField:
    return InvalidField(
        "labels",
        "labels: can't be read",
        hint="Write name=value, name!=value, name=~regex or name!~regex, with commas between, or a JSON object.",
    )
