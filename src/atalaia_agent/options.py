"""Options of a probe, read with an error that names the one that is wrong."""

from __future__ import annotations

from typing import Any

from atalaia_agent.failures import BadOption
from atalaia_agent.wire import Json


def text(options: Json, name: str, default: str = "") -> str:
    value = options.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise BadOption(name, "must be text")
    return value


def flag(options: Json, name: str, *, default: bool) -> bool:
    value = options.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise BadOption(name, "must be true or false")
    return value


def number(options: Json, name: str, default: float, *, least: float = 0.0, most: float = 1e12) -> float:
    value = options.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise BadOption(name, f"must be a number from {least:g} to {most:g}")
    return float(value)


def whole(options: Json, name: str, default: int, *, least: int = 0, most: int = 10**9) -> int:
    value = number(options, name, default, least=least, most=most)
    if value != int(value):
        raise BadOption(name, "must be a whole number")
    return int(value)


def texts(options: Json, name: str) -> list[str]:
    """One text or a list of them."""
    value = options.get(name)
    if value is None or value == "":
        return []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise BadOption(name, "must be text or a list of texts")
    return values


def mapping(options: Json, name: str) -> dict[str, Any]:
    value = options.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadOption(name, "must be an object")
    return value
