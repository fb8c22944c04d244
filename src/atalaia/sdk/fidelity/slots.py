"""Places in a frame whose values change, and how secrets in them are told without being told."""

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from atalaia.core.redaction import STARS, redact
from atalaia.sdk.fidelity.tokens import Kind, Node, decode_string

SlotKind = Literal["variable", "volatile"]
SlotType = Literal["string", "number", "boolean", "null", "object", "array", "any"]
Shape = Literal["a whole number", "a number with a fraction", "a number with an exponent", "decimal digits"]
Maker = Literal["mtkn", "flow_id", "session_token"]
MAKERS: Mapping[str, Maker] = {"mtkn": "mtkn", "flow_id": "flow_id", "session_token": "session_token"}

_DIGITS = re.compile(r'"[0-9]+"\Z')
_REDACTED = re.compile(r'"\*\*\* \((\d+) (digits|hex|letters and digits|characters)\)"\Z')
_TYPES: Mapping[Kind, SlotType] = {
    "object": "object",
    "array": "array",
    "string": "string",
    "number": "number",
    "true": "boolean",
    "false": "boolean",
    "null": "null",
}
_EMPTY: Mapping[Kind, str] = {"object": "{}", "array": "[]"}
_NUMBERS: Mapping[Shape | None, str] = {"a number with a fraction": "0.0", "a number with an exponent": "0e0"}
_CLASSES = (
    (re.compile(r"[0-9]+"), "digits"),
    (re.compile(r"[0-9A-Fa-f]+"), "hex"),
    (re.compile(r"[0-9A-Za-z]+"), "letters and digits"),
)


class Slot(msgspec.Struct, frozen=True):
    """A place whose value changes.

    `captured` is the token of the sample; of a secret it says length and class alone, and of an object or array, which may
    hold some, nothing.
    """

    path: str
    name: str  # what the caller may call it
    kind: SlotKind
    type: SlotType
    captured: str
    maker: Maker | None = None
    is_secret: bool = False
    length: int | None = None  # of a string, in characters, where all samples have the same
    shape: Shape | None = None  # of a number, or of a made string, where all samples have the same
    same_as: str | None = None  # the path of another slot that has the same value in every frame


def make_slot(path: str, key: str, node: Node, *, name: str | None = None, type: SlotType | None = None) -> Slot:
    hidden = is_secret(key)
    return Slot(
        path=path,
        name=name or key or path,
        kind="volatile" if hidden or key in MAKERS else "variable",
        type=type or type_of(node),
        captured=without_value(node) if hidden or node.members or node.items else node.raw,
        maker=MAKERS.get(key),
        is_secret=hidden,
        length=length_of(node),
        shape=None if hidden and node.kind == "string" else shape_of(node),
    )


def is_volatile(key: str, node: Node) -> bool:
    """Whether a value is new for each frame, or a secret, by its name."""
    if node.kind in {"string", "number"}:
        return key in MAKERS or is_secret(key)
    return node.kind in {"object", "array"} and is_secret(key)


def is_secret(key: str) -> bool:
    return bool(redact("something", name=key) == STARS)


def type_of(node: Node) -> SlotType:
    return _TYPES[node.kind]


def without_value(node: Node) -> str:
    """In place of a secret: a token of the same type that says its length and class, and nothing else."""
    if node.kind == "string":
        return node.raw if _REDACTED.match(node.raw) else f'"{STARS} ({describe_text(decode_string(node.raw))})"'
    if node.kind == "number":
        return _NUMBERS.get(shape_of(node), "0")
    return _EMPTY.get(node.kind, node.raw)


def describe_text(text: str) -> str:
    """`42 letters and digits`."""
    kind = next((name for pattern, name in _CLASSES if pattern.fullmatch(text)), "characters")
    return f"{len(text)} {kind}"


def length_of(node: Node) -> int | None:
    if node.kind != "string":
        return None
    given = _REDACTED.match(node.raw)
    return int(given[1]) if given else len(decode_string(node.raw))


def shape_of(node: Node) -> Shape | None:
    if node.kind == "string":
        return "decimal digits" if _DIGITS.match(node.raw) else None
    if node.kind != "number":
        return None
    if "e" in node.raw.lower():
        return "a number with an exponent"
    return "a number with a fraction" if "." in node.raw else "a whole number"
