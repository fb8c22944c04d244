"""What the faults make of an answer: fields under other names, gone, null or of another type, at every depth."""

from collections.abc import Iterable, Mapping
from typing import Any


def changed(
    value: Any, *, rename: Mapping[str, str], drop: Iterable[str], null: Iterable[str], retype: Iterable[str]
) -> Any:
    gone, empty, other = set(drop), set(null), set(retype)
    if not (rename or gone or empty or other):
        return value

    def step(node: Any) -> Any:
        if isinstance(node, list):
            return [step(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {rename.get(key, key): field(key, found) for key, found in node.items() if key not in gone}

    def field(key: str, found: Any) -> Any:
        if key in empty:
            return None
        return _other_type(found) if key in other else step(found)

    return step(value)


def _other_type(value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"~{value}" if is_number else 12.5
