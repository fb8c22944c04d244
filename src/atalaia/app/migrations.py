"""Where the migrations are: found by their folders, so that a command on the store alone need not load the whole hub."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).resolve().parent.parent
GROUP: Final = "atalaia.integrations"
_PART: Final = "migrations"
_STORE: Final = "store"  # its own come before all others: store.opening


def migration_folders() -> Sequence[Path]:
    """Of the slices, and of the integrations: those here, and those that were installed besides."""
    slices = [folder for folder in sorted(SOURCE.glob(f"*/{_PART}")) if folder.parent.name != _STORE]
    integrations = SOURCE / "integrations"
    built_in = sorted(integrations.glob(f"*/{_PART}"))
    return [*slices, *built_in, *_of_others({folder.name for folder in integrations.iterdir()})]


def _of_others(built_in: set[str]) -> Sequence[Path]:
    if not entry_points(group=GROUP):
        return []
    from atalaia.integrations import find_integrations  # loads them all, which costs a command half a second

    others = [loaded for loaded in find_integrations() if loaded.name not in built_in]
    return [folder for loaded in others if (folder := loaded.part(_PART)) is not None]
