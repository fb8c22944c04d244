"""JSON as it stands in the text: every token with its place, nothing interpreted.

A JSON parser makes `1` of `1.0`, drops duplicate keys and forgets escapes; here all of it stays. Source: RFC 8259.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from atalaia.core.errors import BadInput
from atalaia.core.translations import N_

Kind = Literal["object", "array", "string", "number", "true", "false", "null"]
MAX_DEPTH = 128

_SPACE = re.compile(r"[ \t\n\r]*")
STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"')
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS: tuple[tuple[Kind, str], ...] = (("true", "true"), ("false", "false"), ("null", "null"))


class NotJson(BadInput):
    """A text that is not JSON; `position` counts characters from 0."""

    code = "not_json"

    def __init__(self, position: int, why: str) -> None:
        super().__init__(N_("This is not JSON, at character {position}: {why}"), position=position, why=why)
        self.position = position
        self.why = why


@dataclass(frozen=True, slots=True)
class Node:
    """A value in `text[start:end]`."""

    kind: Kind
    text: str
    start: int
    end: int
    members: tuple["Member", ...] = ()  # of an object, in order, duplicates kept
    items: tuple["Node", ...] = ()  # of an array

    @property
    def raw(self) -> str:
        return self.text[self.start : self.end]

    def leaves(self) -> Iterator["Node"]:
        """The values that hold no others, in order; an empty object or array is one."""
        inner = [member.value for member in self.members] or list(self.items)
        if not inner:
            yield self
        for node in inner:
            yield from node.leaves()

    def get(self, key: str) -> "Node | None":
        """The value of the first member of that name."""
        return next((member.value for member in self.members if member.key == key), None)


@dataclass(frozen=True, slots=True)
class Member:
    raw_key: str  # with its quotes and escapes
    key: str  # decoded
    key_start: int
    value: Node


def parse(text: str) -> Node:
    """Raises: NotJson."""
    reader = _Reader(text)
    node = reader.value(reader.skip(0), depth=0)
    end = reader.skip(node.end)
    if end != len(text):
        raise NotJson(end, "something follows the value")
    return node


def decode_string(raw: str) -> str:
    """What a string token says; a lone surrogate stays one."""
    if "\\" not in raw:
        return raw[1:-1]
    decoded: str = json.loads(raw)
    return decoded


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text

    def skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return found.end() if found else at

    def value(self, at: int, *, depth: int) -> Node:
        first = self._text[at : at + 1]
        if first == "{":
            return self._object(at, depth=depth)
        if first == "[":
            return self._array(at, depth=depth)
        if first == '"':
            return Node("string", self._text, at, self._string(at))
        if number := NUMBER.match(self._text, at):
            return Node("number", self._text, at, number.end())
        for kind, word in _WORDS:
            if self._text.startswith(word, at):
                return Node(kind, self._text, at, at + len(word))
        raise NotJson(at, "a value is expected" if first else "the text ends early")

    def _object(self, start: int, *, depth: int) -> Node:
        members: list[Member] = []
        at = self._open(start, depth)
        while self._text[at : at + 1] != "}":
            at = self._next(at) if members else at
            end = self._string(at)
            raw = self._text[at:end]
            colon = self.skip(end)
            if self._text[colon : colon + 1] != ":":
                raise NotJson(colon, "a colon is expected")
            value = self.value(self.skip(colon + 1), depth=depth + 1)
            members.append(Member(raw, decode_string(raw), at, value))
            at = self.skip(value.end)
        return Node("object", self._text, start, at + 1, members=tuple(members))

    def _array(self, start: int, *, depth: int) -> Node:
        items: list[Node] = []
        at = self._open(start, depth)
        while self._text[at : at + 1] != "]":
            at = self._next(at) if items else at
            value = self.value(at, depth=depth + 1)
            items.append(value)
            at = self.skip(value.end)
        return Node("array", self._text, start, at + 1, items=tuple(items))

    def _open(self, start: int, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise NotJson(start, f"nested deeper than {MAX_DEPTH}")
        return self.skip(start + 1)

    def _next(self, at: int) -> int:
        if self._text[at : at + 1] != ",":
            raise NotJson(at, "a comma or the end is expected" if at < len(self._text) else "the text ends early")
        return self.skip(at + 1)

    def _string(self, at: int) -> int:
        found = STRING.match(self._text, at)
        if found is None:
            why = "a bad or unended string" if self._text[at : at + 1] == '"' else "a string is expected"
            raise NotJson(at, why)
        return found.end()
