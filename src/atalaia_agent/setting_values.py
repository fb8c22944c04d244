"""Values of settings, read with an error that names the one that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

Raw = Mapping[str, Any]


class SettingsError(Exception):
    pass


def text(raw: Raw, name: str) -> str:
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise SettingsError(f"{name} must be text")
    return value


def number(raw: Raw, name: str, default: float, *, least: float) -> float:
    value = raw.get(name)
    if value is None:
        return default
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{name} must be a number, not {value!r}") from None
    if isinstance(value, bool) or not found >= least:
        raise SettingsError(f"{name} must be at least {least:g}")
    return found


def texts(table: Raw, name: str, field: str) -> list[str]:
    value = table.get(field, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise SettingsError(f"[{name}] {field} must be a list of texts")
    return value


def key_in(path: Path, name: str) -> str:
    """What the file holds. Raises FileNotFoundError, SettingsError."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as failure:
        raise SettingsError(f"{name}: {path} can't be read") from failure
