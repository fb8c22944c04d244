"""What a message is about, as far as its text says: the action's name, and the numbers that pair it with its answer."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from atalaia.sdk.fidelity.frames import plain_text
from atalaia.sdk.fidelity.tokens import Node, NotJson, decode_string, parse

# Where a name may stand: in what is sent, and in answers and pushes.
_NAMES: Final = (
    ("action", "name"),
    ("action_name",),
    ("response", "action_name"),
    ("response", "properties", "action_name"),
)
_FLOWS: Final = (("action", "flow_id"), ("flow_id",), ("response", "flow_id"), ("response", "properties", "flow_id"))
_MARKS: Final = (("mtkn",), ("action", "mtkn"), ("response", "mtkn"), ("response", "properties", "mtkn"))
_SHOWN: Final = re.compile(r"[\w.:/-]{1,100}\Z")
_GLANCED: Final = re.compile(r'"(action_name|flow_id|mtkn)"\s*:\s*"?([\w.:/-]{1,100})')
_MAYBE: Final = re.compile(r"\s*(?:\{|%7[Bb])")


@dataclass(frozen=True, slots=True)
class About:
    """`mark` pairs an answer with what it answers; it never leaves memory."""

    action: str | None = None
    flow_id: str | None = None
    mark: str | None = None


def about(text: str) -> About:
    """Nothing of what is not JSON."""
    if not _MAYBE.match(text):
        return About()
    try:
        root = parse(plain_text(text))
    except NotJson:
        return About()
    return About(_shown(root, _NAMES), _shown(root, _FLOWS), _found(root, _MARKS))


def glance(text: str) -> About:
    """The same of an answer, by its text alone: answers are many and large, and nothing is made of them."""
    plain = unquote(text) if text.lstrip("\0 \t\r\n").startswith("%") else text
    found: dict[str, str] = dict(_GLANCED.findall(plain))
    action = found.get("action_name", "")
    return About(action if _SHOWN.match(action) else None, found.get("flow_id"), found.get("mtkn"))


def looks_like_action(text: str) -> bool:
    """A request's body with an action in it."""
    return about(text).action is not None


def _shown(root: Node, paths: tuple[tuple[str, ...], ...]) -> str | None:
    found = _found(root, paths)
    return found if found is not None and _SHOWN.match(found) else None


def _found(root: Node, paths: tuple[tuple[str, ...], ...]) -> str | None:
    for path in paths:
        node: Node | None = root
        for key in path:
            node = node.get(key) if node is not None else None
        if node is not None and node.kind in {"string", "number"} and (word := _word(node)):
            return word
    return None


def _word(node: Node) -> str:
    return decode_string(node.raw) if node.kind == "string" else node.raw
