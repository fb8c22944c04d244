"""The integrations that there are: the folders here, and whatever else the entry point group `atalaia.integrations` names.

A folder (or module of another distribution) has an `integration`, which is a sdk.integration.Integration. One that can't be
loaded is named with its trouble; it keeps nobody else from working.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import iter_modules
from typing import Final, cast

from atalaia.core.errors import ConfigError
from atalaia.core.settings import INTEGRATIONS
from atalaia.sdk.integration import Integration

GROUP: Final = "atalaia.integrations"
ATTRIBUTE: Final = "integration"
_NAME = re.compile(r"^[a-z][a-z0-9_]{1,30}$")
# Its name is the first part of its pages' addresses and of its templates' names, so these are taken.
_SOURCE = Path(__file__).resolve().parent.parent
TAKEN: Final = frozenset(
    {path.name for path in _SOURCE.iterdir() if path.is_dir()}
    | {"api", "events", "static", "openapi", "account", "people", "keys", "audit", "checks", "incidents", "channels"}
    | {"settings", "search", "overview", "ping", "public", "hub"}
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """One that was found; without `integration`, `trouble` says why it could not be loaded."""

    name: str
    integration: Integration | None
    trouble: str | None = None
    folder: Path | None = None

    def part(self, name: str) -> Path | None:
        """A folder of it, as `migrations`, if it has one."""
        folder = self.integration.folder if self.integration else self.folder
        path = folder / name if folder else None
        return path if path is not None and path.is_dir() else None


@cache
def find_integrations() -> tuple[Loaded, ...]:
    """All of them by name, loaded once in a process; of two with one name the built-in one stands."""
    found: dict[str, Loaded] = {}
    for name, folder, load in _sources():
        loaded = load_one(name, load, folder=folder)
        found.setdefault(loaded.name, loaded)
    return tuple(found[name] for name in sorted(found))


def load_one(name: str, load: Callable[[], object], *, folder: Path | None = None) -> Loaded:
    try:
        loaded = load()
        integration = cast("Integration", getattr(loaded, ATTRIBUTE, loaded))
        _check(integration)
    except Exception as error:  # noqa: BLE001 - whatever it is, nobody else may suffer from it; the hub logs it
        return Loaded(name, None, f"{type(error).__name__}: {error}", folder)
    return Loaded(integration.manifest.name, integration)


def _sources() -> Iterator[tuple[str, Path | None, Callable[[], object]]]:
    here = Path(__file__).parent
    for module in iter_modules([str(here)]):
        address = f"{__name__}.{module.name}"
        yield module.name, here / module.name, lambda address=address: import_module(address)  # type: ignore[misc]
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        yield point.name, None, point.load


def _check(integration: Integration) -> None:
    """Raises: ConfigError: its name, or a name within it, is not its own."""
    manifest = integration.manifest
    if not _NAME.match(manifest.name) or manifest.name in TAKEN:
        raise ConfigError(f"an integration can't be called {manifest.name!r}")
    strange = [setting.key for setting in manifest.settings if setting.section != f"{INTEGRATIONS}.{manifest.name}"]
    if strange:
        raise ConfigError(f"{strange[0]} is no setting of the integration {manifest.name}")
    upstreams = {declaration.name for declaration in integration.upstreams}
    lost = [each.name for each in integration.job_types if each.upstream and each.upstream not in upstreams]
    if lost:
        raise ConfigError(f"the job type {lost[0]} names an upstream that {manifest.name} does not declare")
