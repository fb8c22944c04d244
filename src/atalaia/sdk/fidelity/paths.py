"""Where in a frame something stands, in words.

Inside the object under the top key `action` a path starts there (`parameters.call_num`); whatever stands beside it starts at `$`
(`$.mtkn`). A key that repeats has its number behind it (`parameters.tag#2`), an item of an array its index (`data[0]`).
"""

import re
from collections.abc import Iterator

from atalaia.sdk.fidelity.tokens import Member, Node

ROOT = "$"
ACTION = "$.action"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


def below(path: str, key: str, *, count: int = 1) -> str:
    """The path of the `count`-th member named `key` of the object at `path`."""
    step = key if _PLAIN.match(key) else '["' + key.replace('"', '\\"') + '"]'
    if count > 1:
        step += f"#{count}"
    if path == ACTION:
        return step
    return path + step if step.startswith("[") else f"{path}.{step}"


def item(path: str, index: int) -> str:
    return f"{path}[{index}]"


def members(node: Node, path: str) -> Iterator[tuple[str, Member]]:
    """Each member of an object with its path."""
    seen: dict[str, int] = {}
    for member in node.members:
        count = seen[member.key] = seen.get(member.key, 0) + 1
        yield below(path, member.key, count=count), member


def walk(node: Node, path: str = ROOT, key: str = "") -> Iterator[tuple[str, str, Node]]:
    """(path, the nearest key, value) of a value and all within it, outer before inner."""
    yield path, key, node
    for inner, member in members(node, path):
        yield from walk(member.value, inner, member.key)
    for index, value in enumerate(node.items):
        yield from walk(value, item(path, index), key)
